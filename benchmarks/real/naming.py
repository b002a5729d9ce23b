"""What an event looks like, judged by somebody who has seen nothing of its person."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mer.inference.predictor import get_predictor
from mer.io.video import Video
from mer.video import event_clips, motion_classifier
from mer.video.motion_classifier import Recogniser, recogniser
from mer.video.types import MOTIONS, Analysis, Event
from mer.weights import store
from tools.motion import dataset, scores
from tools.motion.training import learned


class Namer:
    """The product's own way from an event to its name, but for the recogniser of its motion.

    That one learns from the stored maps without those of the event's subject, with the setting that
    ships.
    """

    def __init__(self, maps: Path) -> None:
        """Read the maps.

        Args:
            maps: their folder, DATA/optical-flow.

        Raises:
            DataError: they cannot be read.
        """
        record = store.read_record(motion_classifier.NAME)
        self._blur: float = record["options"]["blur"]
        self._penalty: float = record["training"]["penalty"]
        self._known = dataset.read(maps)
        self._learned: dict[str, Recogniser] = {}
        self._seen = motion_classifier.features(self._known.maps, self._blur)

    def without(self, subject: str) -> Recogniser:
        """The recogniser that learned from everybody but this subject of the maps."""
        if subject not in self._learned:
            self._learned[subject] = self._learn(subject)
        return self._learned[subject]

    def _learn(self, subject: str) -> Recogniser:
        kept = self._known.subjects != subject
        found = learned(self._seen[kept], self._known.labels[kept], self._penalty)
        return recogniser(found[:-1].T, found[-1], blur=self._blur)

    def names(
        self,
        film: tuple[Path, float | None],
        analysis: Analysis,
        events: Sequence[Event],
        subject: str,
    ) -> list[str]:
        """Which of MOTIONS each of these events looks like; "" where its frames show no face."""
        predictor = get_predictor(analysis.settings["network"], analysis.settings["detector"])
        named = [""] * len(events)
        with Video(*film) as video:
            for index, onset, apex, looks in event_clips.pairs(video, events, analysis.people):
                before, after = predictor.judge(*looks)
                change = motion_classifier.change(before.probabilities, after.probabilities)
                flow = motion_classifier.flow_map(onset, apex)[None]
                motion = self.without(subject)(flow)[0].tolist()
                shares = motion_classifier.fused(motion, change.tolist(), after.classes)
                named[index] = MOTIONS[int(np.argmax(shares))]
        return named


def figures(named: Sequence[Mapping[str, str]], which: str) -> dict[str, Any]:
    """UF1 and UAR of the answers under this key to the `kind` beside them, with intervals."""
    known = [one for one in named if one["kind"] and one.get(which)]
    if not known:
        return {"clips": 0}
    labels, answers = (
        np.array([MOTIONS.index(one[key]) for one in known]) for key in ("kind", which)
    )
    found = scores.score(labels, answers, np.array([one["subject"] for one in known]))
    return {
        "clips": len(known),
        "uf1": found.uf1,
        "uf1_interval": found.uf1_interval,
        "uar": found.uar,
    }
