"""Plotly figures from predictions and records, and nothing else.

Every figure has a transparent ground and its height set, and grows with its container.
Their text is gray enough for a light and a dark page; where `CSS` is on the page, it takes
the page's own text colour instead.
"""

from mer.results.charts.records import confusion, coverage, curves, found, reliability, right
from mer.results.charts.style import CSS

__all__ = ["CSS", "confusion", "coverage", "curves", "found", "reliability", "right"]
