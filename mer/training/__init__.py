"""Training: the loop, its settings, its checkpoints, on one device or several."""
