"""What a paper says of how its figures were made: a methods paragraph and a BibTeX entry."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from mer.errors import WeightsError
from mer.inference.predictor import Predictor
from mer.results import comparison
from mer.results.wording import limits
from mer.version import __version__
from mer.video.types import MACRO_MS, MICRO_MS, Analysis
from mer.weights import store

BIBTEX: Final = f"""@software{{mer,
  author  = {{{{the mer authors}}}},
  title   = {{mer: facial expressions in pictures and videos}},
  version = {{{__version__}}},
  year    = {{{datetime.now(UTC).year}}}
}}"""


def paragraph(predictor: Predictor) -> str:
    """What was done with pictures, in sentences ready to paste."""
    record = predictor.record
    weights = str(record.get("file", {}).get("sha256", "unknown"))[:12]
    return _joined(
        f"Facial expressions were classified by mer {__version__} with its network "
        f"{predictor.model}, version {record.get('version', 'unknown')} (weights {weights}), into "
        f"{len(predictor.classes)} classes: {', '.join(predictor.classes)}.",
        f"Faces were found by {predictor.detector} and cut out with a margin.",
        _learned(record),
        f"Probabilities are softened by a temperature of {predictor.temperature:.2f}; "
        + _unsure(predictor.thresholds["views"]),
        _measured(record),
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
        _measured(record),
    )


def _joined(*sentences: str) -> str:
    last = "An answer says what a face looks like to the network, not what the person feels."
    return " ".join(sentence for sentence in (*sentences, last) if sentence)


def _unsure(thresholds: Mapping[str, float]) -> str:
    return (
        f"an answer below {limits(thresholds)}, or on a face that is hard to judge, counts as "
        "unsure."
    )


def _learned(record: Mapping[str, Any]) -> str:
    stages = record.get("training", {}).get("stages", ())
    names = dict.fromkeys(data["name"] for stage in stages for data in stage.get("data", ()))
    return f"The network learned from {' and '.join(names)}." if names else ""


def _measured(record: Mapping[str, Any]) -> str:
    try:
        tests = comparison.protocols(record) | {
            f"everyday (FER+) {name}": scores for name, scores in comparison.ferplus(record).items()
        }
        told = [f"{comparison.accuracy(one)} on {name} pictures" for name, one in tests.items()]
    except (KeyError, TypeError, ValueError, AttributeError):
        return ""
    return f"Its accuracy, with the interval of 95 %, is {', '.join(told)}."
