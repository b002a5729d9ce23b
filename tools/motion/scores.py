"""Scores of recognition from motion, with intervals over subjects."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mer.video.types import MOTIONS

DRAWS: Final = 4000  # of subjects, with replacement, for an interval
INTERVAL: Final = (2.5, 97.5)  # percentiles


@dataclass(frozen=True)
class Score:
    """How well answers fit the truth.

    Attributes:
        confusion: counts (3, 3): rows are the truth, order as in MOTIONS.
        uf1: mean over the classes of their F1, from the counts of all subjects together.
        uar: mean over the classes of their recall.
        uf1_interval, uar_interval: 95 %, bootstrap over subjects.
    """

    confusion: list[list[int]]
    uf1: float
    uar: float
    uf1_interval: tuple[float, float]
    uar_interval: tuple[float, float]

    def __str__(self) -> str:
        return f"{_figure(self.uf1, self.uf1_interval)}  {_figure(self.uar, self.uar_interval)}"


@dataclass(frozen=True)
class Run:
    """One leave-one-subject-out: all maps together, each data set, settings chosen by subject."""

    seed: int
    score: Score
    datasets: dict[str, Score]
    settings: list[str]


@dataclass(frozen=True)
class CrossValidation:
    """Leave-one-subject-out, once for each seed."""

    runs: tuple[Run, ...]

    @property
    def uf1(self) -> float:
        """Mean over the seeds."""
        return float(np.mean([run.score.uf1 for run in self.runs]))

    @property
    def uar(self) -> float:
        """Mean over the seeds."""
        return float(np.mean([run.score.uar for run in self.runs]))

    def __str__(self) -> str:
        """Tables of the scores, for the terminal."""
        lines = ["Leave one subject out; intervals 95 %, bootstrap over subjects", ""]
        lines += [f"{'':14}  {'UF1':17}  UAR"]
        for run in self.runs:
            lines += [f"seed {run.seed:<9}  {run.score}"]
            lines += [f"  {name:12}  {part}" for name, part in run.datasets.items()]
        lines += [f"{'mean':14}  {self.uf1:<17.3f}  {self.uar:.3f}", "", "Chosen inside the folds:"]
        picks = Counter(setting for run in self.runs for setting in run.settings)
        lines += [f"{number:5} times {setting}" for setting, number in picks.most_common()]
        return "\n".join([*lines, "", *_confusion(self.runs[0].score.confusion)])

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            "protocol": "leave one subject out, settings chosen among the other subjects",
            "uf1": self.uf1,
            "uar": self.uar,
            "seeds": [
                {"seed": run.seed}
                | _json(run.score)
                | {"datasets": {name: _json(part) for name, part in run.datasets.items()}}
                | {"chosen": dict(Counter(run.settings).most_common())}
                for run in self.runs
            ],
        }


def score(
    labels: NDArray[np.int64], answers: NDArray[np.int64], subjects: NDArray[np.str_]
) -> Score:
    """Figures of answers (n,) to maps of these labels (n,) and subjects (n,).

    Raises:
        ValueError: there is no map.
    """
    if not len(labels):
        raise ValueError("There is no map to score.")
    names, index = np.unique(subjects, return_inverse=True)
    counts = np.zeros((len(names), len(MOTIONS), len(MOTIONS)), np.int64)
    np.add.at(counts, (index, labels, answers), 1)
    whole = counts.sum(0)
    draws = np.random.default_rng(0).multinomial(len(names), [1 / len(names)] * len(names), DRAWS)
    drawn = np.tensordot(draws, counts, 1)  # (DRAWS, 3, 3)
    uf1, uar = _figures(whole[None])
    intervals = [
        (float(low), float(high))
        for low, high in (np.nanpercentile(figure, INTERVAL) for figure in _figures(drawn))
    ]
    return Score(whole.tolist(), float(uf1[0]), float(uar[0]), *intervals)


def _figures(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """UF1 and UAR, each (n,), of counts (n, 3, 3); classes without a map stay out of the means."""
    hits, truth = np.diagonal(counts, 0, 1, 2).astype(np.float64), counts.sum(2)
    support = np.where(truth, truth, np.nan)
    recall = hits / support
    f1 = 2 * hits / (support + counts.sum(1))
    return np.nanmean(f1, 1), np.nanmean(recall, 1)


def _figure(value: float, interval: tuple[float, float]) -> str:
    return f"{value:.3f} [{interval[0]:.3f} {interval[1]:.3f}]"


def _confusion(counts: list[list[int]]) -> list[str]:
    lines = [f"{'truth / answer':14}" + "".join(f"{name:>10}" for name in MOTIONS)]
    for name, row in zip(MOTIONS, counts, strict=True):
        lines.append(f"{name:14}" + "".join(f"{count:>10}" for count in row))
    return lines


def _json(score: Score) -> dict[str, Any]:
    return {
        "uf1": score.uf1,
        "uf1_interval": list(score.uf1_interval),
        "uar": score.uar,
        "uar_interval": list(score.uar_interval),
        "confusion": score.confusion,
    }
