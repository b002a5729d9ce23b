"""Near-duplicates ("twins"): pictures of one photograph, re-encoded, re-cropped or mirrored.

Two pictures count as twins when their 32x32 gray thumbnails, or one and the mirrored other,
correlate by at least `THRESHOLD`. At 0.90 every one of 36 sampled pairs of the paper's set
was the same photograph; below about 0.88 it is mixed.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

THRESHOLD: Final = 0.90
SIDE: Final = 32  # pixels of a thumbnail
BLOCK: Final = 2048  # pictures a block: the correlations of two blocks take 16 MB


class Pairs(NamedTuple):
    """Near-duplicates, one entry a pair: the same place in the four arrays."""

    first: np.ndarray  # int32, index into `a`
    second: np.ndarray  # int32, index into `b`
    correlation: np.ndarray  # float32, the larger of plain and mirrored
    mirrored: np.ndarray  # bool


def thumbnail(image: np.ndarray) -> np.ndarray:
    """The 32x32 gray values of a uint8 picture, (h, w, 3) RGB or (h, w), as float32 (1024,).

    They have zero mean and unit length, so that a dot product is a correlation. A picture without
    contrast gives zeros: it correlates with nothing.
    """
    from PIL import Image

    # Of seven filters tried, the box filter reproduces the reference list's correlations to 0.0001.
    gray = Image.fromarray(image).convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    values = np.asarray(gray, dtype=np.float32).ravel()
    values = values - values.mean()
    if values.std() < 1.0:  # below one gray level there is only compression noise
        return np.zeros_like(values)
    return np.asarray(values / np.linalg.norm(values))


def pairs(a: np.ndarray, b: np.ndarray | None = None, *, threshold: float = THRESHOLD) -> Pairs:
    """All pairs of a picture of `a` and one of `b` that correlate by at least `threshold`.

    `a` and `b` are thumbnails (n, 1024). Without `b` these are the pairs within `a`, each once,
    with `first` < `second`. Memory grows with the number of pairs found, not with n squared.
    """
    found = [Pairs(*(np.zeros(0, kind) for kind in (np.int32, np.int32, np.float32, np.bool_)))]
    others = a if b is None else b
    for row in range(0, len(a), BLOCK):
        rows = a[row : row + BLOCK]
        flipped = rows.reshape(-1, SIDE, SIDE)[:, :, ::-1].reshape(-1, SIDE**2)  # mirrored
        for column in range(row if b is None else 0, len(others), BLOCK):
            columns = others[column : column + BLOCK].T
            plain, mirrored = rows @ columns, flipped @ columns
            hit = (plain >= threshold) | (mirrored >= threshold)
            if column == row and b is None:
                hit = np.triu(hit, 1)
            i, j = np.nonzero(hit)
            places = (i + row).astype(np.int32), (j + column).astype(np.int32)
            straight, turned = plain[i, j], mirrored[i, j]
            found.append(Pairs(*places, np.maximum(straight, turned), turned > straight))
    joined = Pairs(*(np.concatenate(parts) for parts in zip(*found, strict=True)))
    order = np.lexsort((joined.second, joined.first))
    return Pairs(*(values[order] for values in joined))


def groups(
    thumbnails: np.ndarray, people: Sequence[str] = (), *, threshold: float = THRESHOLD
) -> np.ndarray:
    """Return the group number of each picture, int64 (n,), given thumbnails (n, 1024).

    Pictures of one photograph share it, and twins of twins, and pictures of one person: `people`
    names who is seen in each, "" where unknown; it may be empty.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(thumbnails)
    if n == 0:
        return np.zeros(0, np.int64)
    twins = pairs(thumbnails, threshold=threshold)
    seen: dict[str, int] = {}
    same = [(seen.setdefault(who, row), row) for row, who in enumerate(people) if who]
    alike = np.array(same, np.int64).reshape(-1, 2).T
    one, other = np.concatenate([(twins.first, twins.second), alike], axis=1)
    graph = coo_array((np.ones(len(one), np.bool_), (one, other)), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)
