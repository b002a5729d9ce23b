"""Weights and their records: on the disk, from the Hub, and where they came from."""
