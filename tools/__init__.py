"""Programs for those who maintain the package: run from the repository, not installed."""
