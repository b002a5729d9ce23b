"""Clips with known truth, made from one picture of a face."""
