"""The name and the password that visitors may have to give."""

import base64
import binascii
import os
import secrets

from mer.errors import MerError


def wanted() -> tuple[str, str] | None:
    """Name and password that visitors have to give, from $MER_USER and $MER_PASSWORD.

    Raises:
        MerError: there is a name without a password.
    """
    name, word = os.environ.get("MER_USER"), os.environ.get("MER_PASSWORD")
    if name and not word:
        raise MerError("MER_USER is set, and MER_PASSWORD is not. Set both, or none.")
    return (name or "mer", word) if word else None


def is_given(header: str, password: tuple[str, str]) -> bool:
    """Whether an Authorization header of HTTP gives this name and password."""
    try:
        scheme, _, value = header.partition(" ")
        found = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False
    return scheme.lower() == "basic" and secrets.compare_digest(found, ":".join(password).encode())
