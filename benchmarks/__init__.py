"""Measures speed and quality of the package: run from the repository, not installed."""
