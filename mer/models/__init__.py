"""The networks: one file each, and one registry."""
