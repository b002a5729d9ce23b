"""Plotly figures from predictions and records, and nothing else.

Every figure has a transparent ground and its height set, and grows with its container.
Their text is gray enough for a light and a dark page; where `CSS` is on the page, it takes
the page's own text colour instead.
"""

from mer.results.charts.classes import confusion, per_class
from mer.results.charts.confidence import coverage, reliability
from mer.results.charts.corruptions import found, right
from mer.results.charts.networks import accuracy, curves, training_time
from mer.results.charts.style import CSS

__all__ = [
    "CSS",
    "accuracy",
    "confusion",
    "coverage",
    "curves",
    "found",
    "per_class",
    "reliability",
    "right",
    "training_time",
]
