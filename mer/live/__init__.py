"""Live: who is in front of a camera now, what each face looks like, and how that changed."""
