"""The networks: the paper's, those of face recognition, and one registry of all."""
