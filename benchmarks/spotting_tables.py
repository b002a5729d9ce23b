"""The scores of `benchmark` as Markdown, and what others publish on real clips, beside them."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from benchmarks.spotting_scores import IOU, Score
from mer.results import documents

REMARK: Final = """\
These are made clips: a still picture, warped. They show what moves a spotter and what does not, \
not how it does on real faces; and it was developed on clips of the same generator, with other \
seeds. Published scores on real clips are far lower:"""


class Published(NamedTuple):
    """A score that others report on real clips, and where."""

    method: str
    clips: str
    score: str
    source: str


PUBLISHED: Final = (
    Published(
        "main direction of flow (MDMD), without training",
        "CAS(ME)²",
        "F1 .12 macro, .01 micro",
        "He et al. 2020, baseline of the challenge MEGC 2020",
    ),
    Published(
        "flow by region, without training",
        "CAS(ME)²",
        "F1 .44, .25 micro",
        "Zhao et al. 2022, doi:10.1145/3503161.3551602",
    ),
    Published(
        "the same",
        "unseen, of SAMM and CAS(ME)³",
        "F1 .33 and .36",
        "the same, challenge MEGC 2022",
    ),
    Published(
        "flow by region after a finer alignment",
        "unseen, both together",
        "F1 .19",
        "doi:10.1145/3581783.3612853, challenge MEGC 2023",
    ),
    Published(
        "flow by region, its bounds corrected",
        "unseen, both together",
        "F1 .27",
        "doi:10.1145/3664647.3689142, challenge MEGC 2024",
    ),
    Published(
        "the best of the challenge MEGC 2025",
        "unseen, both together",
        "STRS .09 (spotting times recognition)",
        "Fan et al. 2025, arXiv:2506.15298",
    ),
)


def rows(scores: Sequence[Score]) -> list[dict[str, float | None]]:
    """Each score's figures by name, F1 among them; None for what is no number."""
    each = [asdict(score) | {"f1": score.f1} for score in scores]
    return [{k: None if v != v else v for k, v in one.items()} for one in each]


def figures(scores: Sequence[Score]) -> dict[str, Any]:
    """What is kept: F1 at 2 pixels by frame rate, events a minute of talk, time called speech."""
    talk = [score for score in scores if score.spoken]
    minutes = sum(score.seconds for score in talk) / 60
    return {
        "f1_2px": {f"{score.fps:g}": score.f1 for score in scores if score.pixels == 2},
        "talk_events": sum(score.found for score in talk) / minutes,
        "talk_called": float(np.mean([score.called for score in talk])),
    }


def report(scores: Sequence[Score]) -> str:
    """The scores as Markdown: a table for each figure, displacements down, frame rates across."""
    table = pd.DataFrame(rows(scores)).astype(float)
    table["micros"] = table.micro_matched / table.micro
    table["macros"] = table.macro_matched / table.macro
    table["alarms"] = 60 * table.found / table.seconds
    table["during"] = np.where(table.spoken > 0, "speech", "rest")
    moved, quiet = table[table.pixels > 0], table[table.pixels == 0]
    clips = f"{moved.micro.mean():.0f} micro and {moved.macro.mean():.0f} macro a clip"
    return "\n\n".join(
        [
            _grid(moved, "f1", 2, f"F1 at IoU {IOU}, expressions: {clips}"),
            _grid(moved, "micros", 2, "Of the micro-expressions, found"),
            _grid(moved, "macros", 2, "Of the macro-expressions, found"),
            _grid(moved, "onset_ms", 0, "Onset: mean absolute error, ms"),
            _grid(moved, "apex_ms", 0, "Apex: mean absolute error, ms"),
            _grid(quiet, "alarms", 1, "False alarms a minute under drift and blinks", "during"),
        ]
    )


def published() -> str:
    """What others report on real clips, as Markdown."""
    return documents.markdown(("method", "clips", "score", "source"), PUBLISHED)


def _grid(table: pd.DataFrame, figure: str, digits: int, heading: str, down: str = "pixels") -> str:
    grid = table.pivot_table(figure, down, "fps", dropna=False)
    names = [f"{one:g} px" if down == "pixels" else str(one) for one in grid.index]
    lines = [
        [name, *("–" if np.isnan(value) else f"{value:.{digits}f}" for value in values)]
        for name, values in zip(names, grid.to_numpy(), strict=True)
    ]
    head = ["", *(f"{fps:g} fps" for fps in grid.columns)]
    return f"{heading}:\n\n{documents.markdown(head, lines)}"
