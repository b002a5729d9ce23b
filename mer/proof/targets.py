"""How the proof says whether a target was reached."""


def kept(held: bool) -> str:
    """In a word."""
    return "kept" if held else "MISSED"
