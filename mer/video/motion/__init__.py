"""How the parts of a face move: alignment, optical flow, and signals of each region."""
