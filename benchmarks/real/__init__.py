"""Real recordings, and how well the events in them are found."""
