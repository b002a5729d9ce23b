"""Where answers come from, in sentences: methods to paste, data sets with terms, spotting."""

import contextlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from mer.errors import WeightsError
from mer.inference.predictor import Predictor
from mer.results import comparison
from mer.results.wording import limits, percent
from mer.version import __version__
from mer.video.types import MACRO_MS, MICRO_MS, Analysis
from mer.weights import store

BIBTEX: Final = f"""@software{{mer,
  author  = {{{{the mer authors}}}},
  title   = {{mer: facial expressions in pictures and videos}},
  version = {{{__version__}}},
  year    = {{{datetime.now(UTC).year}}}
}}"""
SPOTTING: Final = "spotting.json"  # beside the weights: figures of `python -m benchmarks spotting`

# The owners' terms; the keys are names of data set folders, as they stand in the records.
TERMS: Final = {
    "micro-expressions": "the paper's set (Kaggle, kmirfan): owners of the pictures unknown",
    "ferplus": "FER2013 (Kaggle 2013) with the FER+ labels (MIT): owners unknown, for research",
    "affectnet": "AffectNet (Mollahosseini et al. 2017): for research",
    "kdef": "KDEF (Lundqvist et al. 1998): for non-commercial research",
    "cfee": "CFEE (Du et al. 2014): for research",
    "cfee_inferred": "CFEE, labels inferred: for research",
    "cfee_compound": "CFEE, two expressions at once: for research",
    "lfw": "Labeled Faces in the Wild: press photographs; labels Apache-2.0",
    "sdfaces": "stock and generated faces: terms unknown",
    "moodme": "stock faces: terms unknown",
    "children": "faces of children: terms unknown",
    "london": "Face Research Lab London Set: CC BY 4.0",
    "abmt": "ABMT: Apache-2.0",
    "nimstim": "NimStim (Tottenham et al. 2009): for research",
    "chefs": "CHEFS: for research",
    "yale": "Yale faces: for research",
}


def paragraph(predictor: Predictor) -> str:
    """What was done with pictures, in sentences ready to paste."""
    record = predictor.record
    weights = str(record.get("file", {}).get("sha256", "unknown"))[:12]
    return _joined(
        record,
        f"Facial expressions were classified by mer {__version__} with its network "
        f"{predictor.model}, version {record.get('version', 'unknown')} (weights {weights}), into "
        f"{len(predictor.classes)} classes: {', '.join(predictor.classes)}.",
        f"Faces were found by {predictor.detector} and cut out with a margin.",
        _learned(record),
        f"Probabilities are softened by a temperature of {predictor.temperature:.2f}; "
        + _unsure(predictor.thresholds["views"]),
    )


def of_video(analysis: Analysis) -> str:
    """What was done with a video, in sentences ready to paste."""
    used, timing = analysis.settings, analysis.timing
    try:
        record = store.read_record(used["network"])
    except WeightsError:
        record = {}
    thresholds = used.get("sure_from")
    return _joined(
        record,
        f"Facial expressions in a video of {timing.duration_ms / 1000:.1f} s, {timing.frames} "
        f"frames at {timing.fps:.1f} a second, were classified by mer {used['mer']} with its "
        f"network {used['network']}, version {used['version']}, into {len(analysis.classes)} "
        f"classes: {', '.join(analysis.classes)}.",
        f"Faces were found by {used['detector']}, followed from frame to frame and read "
        f"{used.get('sampled_per_second', 8):g} times a second.",
        _learned(record),
        _unsure(thresholds).capitalize() if thresholds else "",
        "Onset, apex and offset of events were spotted from the motion of the face's regions, the "
        f"head's taken out; what lasts up to {MICRO_MS:.0f} ms is called a micro-expression, what "
        f"lasts up to {MACRO_MS / 1000:.0f} s a macro-expression"
        + ("." if timing.micro else "; at this frame rate nothing is called micro."),
    )


def _unsure(thresholds: Mapping[str, float]) -> str:
    unsure = ", or on a face that is hard to judge, counts as unsure."
    return f"an answer below {limits(thresholds)}{unsure}"


def _learned(record: Mapping[str, Any]) -> str:
    return f"The network learned from {' and '.join(sets)}." if (sets := _sets(record)) else ""


def _sets(record: Mapping[str, Any]) -> list[str]:
    """The data sets of all stages of a training, in their order."""
    stages = record.get("training", {}).get("stages", ())
    return [*dict.fromkeys(data["name"] for stage in stages for data in stage.get("data", ()))]


def _joined(record: Mapping[str, Any], *sentences: str) -> str:
    """The sentences, then how good the network is, and what an answer says."""
    measured = ""
    with contextlib.suppress(KeyError, TypeError, ValueError, AttributeError):
        everyday = comparison.ferplus(record).items()
        tests = comparison.protocols(record) | {f"everyday (FER+) {n}": one for n, one in everyday}
        told = [f"{comparison.accuracy(one)} on {name} pictures" for name, one in tests.items()]
        measured = f"Its accuracy, with the interval of 95 %, is {', '.join(told)}."
    last = "An answer says what a face looks like to the network, not what the person feels."
    return " ".join(filter(None, (*sentences, measured, last)))


def sources(record: Mapping[str, Any]) -> list[str]:
    """The data sets that a network learned from, each with its terms."""
    return [TERMS.get(name, f"{name}: terms not known to this program") for name in _sets(record)]


def spotting_figures() -> dict[str, Any]:
    """How well events are found, as SPOTTING has it; {} where it is not there."""
    try:
        known: dict[str, Any] = json.loads((store.FOLDER / SPOTTING).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known


def spotting() -> str:
    """What of marked expressions was found, in real clips beside made ones; "" where unknown."""
    known = spotting_figures()
    try:
        real = known["real"]["figures"]["sets"]["flashes"]
        found = f"{real['hit']} of {real['marked']} expressions of real clips were met"
        right = percent(real["named_spotted"]["uar"])
        f1 = f"F1 at half of the time shared is {real['f1']:.2f} there"
        if "made" in known:
            f1 += f" and {known['made']['figures']['f1_2px']['30']:.2f} on made clips"
    except KeyError:
        return ""
    told = f"negative, positive and surprise were told apart in {right}."
    return f"Measured here: {found}; {f1}. Of those met, {told}"
