"""Weights from the Hub at a pinned revision, or those at hand where it cannot be reached."""

import functools
import logging
import os
import re
from pathlib import Path
from typing import Final

from mer.errors import WeightsError

VARIABLE: Final = "MER_HUB"
_PINNED: Final = re.compile(r"([\w.-]+/[\w.-]+)@([0-9a-f]{40})")
_NETWORK: Final = re.compile(r"[a-z0-9][a-z0-9_-]*")  # names that may be part of an address
_log = logging.getLogger(__name__)


def folder(name: str) -> Path | None:
    """Where the weights and the record of network `name` lie, fetched where that is needed.

    $MER_HUB says from where: `OWNER/NAME@REVISION`. The revision is a commit's 40 digits, so that
    weights never change unseen. Returns None where the variable is not set, where the
    repository does not hold this network, and, with a warning, where the Hub cannot be reached and
    nothing was fetched before.

    Raises:
        WeightsError: the variable names no pinned revision, or the Hub knows no such repository.
    """
    source = os.environ.get(VARIABLE)
    return _fetched(source, name) if source and _NETWORK.fullmatch(name) else None


@functools.lru_cache(64)
def _fetched(source: str, name: str) -> Path | None:
    pinned = _PINNED.fullmatch(source)
    if pinned is None:
        raise WeightsError(
            f"{VARIABLE} has to be OWNER/NAME@REVISION, with all 40 digits of the revision, so "
            f"that weights never change unseen; it is {source!r}."
        )
    import httpx
    from huggingface_hub import errors, hf_hub_download

    repository, revision = pinned.groups()
    try:
        for ending in ("json", "safetensors"):
            path = hf_hub_download(repository, f"{name}.{ending}", revision=revision)
        return Path(path).parent
    except errors.EntryNotFoundError as error:
        if not isinstance(error, errors.LocalEntryNotFoundError):  # the Hub said so
            return None
    except (errors.HfHubHTTPError, errors.HFValidationError) as error:
        told = str(error).strip().splitlines()[0]
        raise WeightsError(f"The Hub does not give {source} ({told}). Mend {VARIABLE}.") from error
    except (httpx.HTTPError, OSError):
        pass  # broken off on the way
    _log.warning(
        "The Hub cannot be reached, and %s was not fetched before: the weights at hand are used.",
        name,
    )
    return None
