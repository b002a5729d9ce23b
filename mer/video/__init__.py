"""Videos: who is in them, what each face looks like, and what passes over it."""
