"""The figures of the seed study, which ship beside the weights: what another seed changes.

`tools.seed_study` measures them.
"""

import json
import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from mer.weights import store

if TYPE_CHECKING:
    import pandas as pd

GOAL: Final = 0.8  # validation accuracy; the processor time until it is reached is reported
FILE: Final = "seeds.json"

Result = Mapping[str, Any]


def read() -> Result | None:
    """Read the figures beside the weights; None where they are missing or damaged."""
    try:
        result: Result = json.loads((store.FOLDER / FILE).read_text(encoding="utf-8"))
        table(result), verdict(result)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return result


def table(result: Result) -> "pd.DataFrame":
    """Return a row a network: means and standard deviations over the seeds, as text."""
    import pandas as pd

    rows = [{"network": name, **_row(runs)} for name, runs in result["networks"].items()]
    return pd.DataFrame(rows)


def verdict(result: Result) -> str:
    """Return sentences: the schedule, and the differences that are significant for every seed."""
    settings = result["settings"]
    seeds = len(next(iter(result["networks"].values())))
    text = (
        f"Each network by {seeds} seeds, on {settings['epochs']} passes over the paper's training "
        f"pictures alone: shorter than what ships, so look at the spread, not at the height."
    )
    for kind, pairs in result["apart"].items():
        told = ", ".join(f"{better} over {worse}" for better, worse in pairs)
        text += f" By every seed, on {kind} pictures, more than chance: {told or 'no difference'}."
    return text


def _row(runs: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    def share(key: str) -> str:
        values = [100 * run[key] for run in runs]
        return f"{statistics.mean(values):.1f} ± {statistics.stdev(values):.1f} %"

    reached = [run["goal_seconds"] for run in runs if run["goal_seconds"] is not None]
    return {
        "all test pictures": share("all"),
        "clean ones": share("clean"),
        "mean recall, clean": share("uar"),
        "validation": share("validation"),
        "processor time": f"{statistics.mean(run['cpu_seconds'] for run in runs):.0f} s",
        f"to {GOAL:.0%} on validation": (
            f"{statistics.mean(reached):.0f} s, {len(reached)} of {len(runs)}"
            if reached
            else "not reached"
        ),
    }
