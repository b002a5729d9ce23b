"""The networks as a leaderboard: a row a network, what it is for and the figures that decide."""

from collections.abc import Mapping
from typing import Any, Final

from mer.evaluation.statistics import significant_pairs
from mer.models.registry import DEFAULT_MODEL, NETWORKS
from mer.results import comparison
from mer.results.wording import percent

KINDS: Final = ("all", "clean")  # of the paper's test pictures


# Columns: name in a CSV file, heading, whether more is better (None: neither is).
COLUMNS: Final[tuple[tuple[str, str, bool | None], ...]] = (
    ("network", "Network", None),
    ("accuracy_all", "All", True),
    ("accuracy_clean", "Clean", True),
    ("accuracy_everyday", "Everyday", True),
    ("accuracy_elsewhere", "Elsewhere", True),
    ("milliseconds", "ms a face", False),
    ("training_s", "Training", False),
    ("megabytes", "MB", False),
)


def figures(
    records: Mapping[str, Any], milliseconds: Mapping[str, float] | None = None
) -> list[dict[str, Any]]:
    """A row a network, by the names in COLUMNS; None where something is not known.

    The default network comes first, then whoever is right most often on clean pictures.
    """
    rows = [_row(name, one, (milliseconds or {}).get(name)) for name, one in records.items()]
    best = sorted(rows, key=lambda row: -(row["accuracy_clean"] or row["accuracy_all"]))
    return sorted(best, key=lambda row: row["network"] != DEFAULT_MODEL)


def shown(rows: list[dict[str, Any]]) -> list[tuple[str, str, bool | None]]:
    """Those of COLUMNS of which something is known, and the one to be measured yet."""
    return [one for one in COLUMNS if one[0] == "milliseconds" or any(r[one[0]] for r in rows)]


def best(rows: list[dict[str, Any]]) -> dict[str, float]:
    """The best figure of each column in which several networks have one."""
    known = {key: [row[key] for row in rows if row[key] is not None] for key, *_ in COLUMNS}
    return {
        key: (max if more else min)(known[key])
        for key, _, more in COLUMNS
        if more is not None and len(known[key]) > 1
    }


def purpose(name: str) -> str:
    """What a network is for, in a few words."""
    if name not in NETWORKS:
        return "your own"
    what = NETWORKS[name].description.split(":")[0].split(",")[0]
    return f"recommended ({what})" if name == DEFAULT_MODEL else what


def significance(records: Mapping[str, Any], kind: str) -> tuple[list[str], list[list[str]]]:
    """Networks, and a matrix of them: "better", "worse" or "" where it may be chance.

    They are compared by their mistakes on the same pictures, see `mer.evaluation.statistics`.
    """
    mistakes = {
        name: scores["mistakes"]
        for name, record in records.items()
        if "mistakes" in (scores := comparison.tests(record).get(kind, {}))
    }
    real = significant_pairs(mistakes)
    names = sorted(mistakes, key=lambda name: len(mistakes[name]))
    said = dict.fromkeys(real, "better") | {pair[::-1]: "worse" for pair in real}
    return names, [[said.get((one, other), "") for other in names] for one in names]


def verdict(records: Mapping[str, Any]) -> list[str]:
    """`significance` in sentences, one for all and one for clean pictures."""
    told = []
    for kind in KINDS:
        names, matrix = significance(records, kind)
        beaten = {
            name: [other for other, cell in zip(names, row, strict=True) if cell == "better"]
            for name, row in zip(names, matrix, strict=True)
        }
        ahead = [f"{name} is ahead of {' and '.join(of)}" for name, of in beaten.items() if of]
        chance = f"On {kind} pictures no network is shown to be better than another."
        better = f"On {kind} pictures {', '.join(ahead)} by more than chance."
        told += [better if ahead else chance] if len(names) > 1 else []
    return told


def _row(name: str, record: Mapping[str, Any], milliseconds: float | None) -> dict[str, Any]:
    tests = comparison.tests(record)
    away = record["evaluation"].get("elsewhere") or {}
    means = {kind: tests.get(kind, {}).get("accuracy") for kind in ("all", "clean", "everyday")}
    return {
        "network": name,
        **{f"accuracy_{kind}": accuracy for kind, accuracy in means.items()},
        "accuracy_elsewhere": (away.get("mean") or {}).get("accuracy"),
        "milliseconds": milliseconds,
        "training_s": record["training"]["cpu_seconds"],
        "megabytes": record["file"]["bytes"] / 1e6,
    }


def text(key: str, value: Any) -> str:
    """A figure as a table shows it."""
    if value is None:
        return "–"
    if key.startswith("accuracy"):
        return percent(value, 1)
    if key == "training_s":
        return comparison.duration(value)
    return value if isinstance(value, str) else f"{value:.1f}"
