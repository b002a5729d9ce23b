"""What a paper says of how its figures were made: a methods paragraph and a BibTeX entry."""

from datetime import UTC, datetime
from typing import Final

from mer.inference.predictor import Predictor
from mer.results import comparison
from mer.results.wording import limits
from mer.version import __version__

BIBTEX: Final = f"""@software{{mer,
  author  = {{{{the mer authors}}}},
  title   = {{mer: facial expressions in pictures and videos}},
  version = {{{__version__}}},
  year    = {{{datetime.now(UTC).year}}}
}}"""


def paragraph(predictor: Predictor) -> str:
    """Network, version, training data, thresholds and limits, in sentences ready to paste."""
    record = predictor.record
    weights = str(record.get("file", {}).get("sha256", "unknown"))[:12]
    said = [
        f"Facial expressions were classified by mer {__version__} with its network "
        f"{predictor.model}, version {record.get('version', 'unknown')} (weights {weights}), into "
        f"{len(predictor.classes)} classes: {', '.join(predictor.classes)}.",
        f"Faces were found by {predictor.detector} and cut out with a margin.",
        _learned(predictor),
        f"Probabilities are softened by a temperature of {predictor.temperature:.2f}; an answer "
        f"below {limits(predictor.thresholds['views'])}, or on a face that is hard to judge, "
        "counts as unsure.",
        _measured(predictor),
        "An answer says what a face looks like to the network, not what the person feels.",
    ]
    return " ".join(sentence for sentence in said if sentence)


def _learned(predictor: Predictor) -> str:
    stages = predictor.record.get("training", {}).get("stages", ())
    names = dict.fromkeys(data["name"] for stage in stages for data in stage.get("data", ()))
    return f"The network learned from {' and '.join(names)}." if names else ""


def _measured(predictor: Predictor) -> str:
    try:
        tests = comparison.protocols(predictor.record) | {
            f"everyday (FER+) {name}": scores
            for name, scores in comparison.ferplus(predictor.record).items()
        }
        told = [f"{comparison.accuracy(one)} on {name} pictures" for name, one in tests.items()]
    except (KeyError, TypeError, ValueError, AttributeError):
        return ""
    return f"Its accuracy, with the interval of 95 %, is {', '.join(told)}."
