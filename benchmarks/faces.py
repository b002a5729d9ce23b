"""Pictures of faces that a benchmark looks at."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mer.io import sources


def spread(data: Sequence[Path], count: int) -> list[Path]:
    """At most so many pictures of these folders, evenly spread over them in natural order."""
    items = [item for folder in data for item in sources.in_folder(folder, sources.PICTURES)]
    last = max(len(items) - 1, 0)
    rows = np.linspace(0, last, min(count, len(items))).astype(int)
    return [Path(items[row].path) for row in rows]
