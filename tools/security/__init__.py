"""Measures how the page bears strangers: damaged files, and many visitors at once."""
