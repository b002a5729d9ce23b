"""From faces to probabilities: the predictor, its backends, and what it looked at."""
