"""How good the networks are, and how far their answers can be trusted."""
