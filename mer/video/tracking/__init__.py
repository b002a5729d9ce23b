"""People followed through a video."""
