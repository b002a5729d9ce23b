"""Labelled pictures for training and measuring, and what is wrong with them."""
