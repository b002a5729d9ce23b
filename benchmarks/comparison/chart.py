"""Speed and accuracy of several programs in one chart, as SVG that any browser shows."""

import math
from collections.abc import Sequence
from html import escape
from typing import Final, NamedTuple

WIDTH, HEIGHT = 720, 420  # of the chart
LEFT, TOP, RIGHT, BOTTOM = 70, 30, 150, 60  # margins; to the right there is room for a name
DECADES: Final = (1, 10, 100, 1000)  # frames a second
TEXT: Final = 'font-family="sans-serif" font-size="13"'


class Dot(NamedTuple):
    """A program: its frames a second, and its accuracy 0..1 on the clean test."""

    name: str
    speed: float
    accuracy: float
    ours: bool


def scatter(dots: Sequence[Dot]) -> str:
    """The chart: farther to the right is quicker, higher is more often right.

    Raises:
        ValueError: there are no dots.
    """
    if not dots:
        raise ValueError("There is nothing to draw.")
    low = math.floor(10 * min(dot.accuracy for dot in dots)) / 10 - 0.1
    parts = [*_axes(low), *(part for dot in dots for part in _drawn(dot, low))]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">'
    ground = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>'
    return "\n".join([head, ground, *parts, "</svg>"]) + "\n"


def _axes(low: float) -> list[str]:
    parts = []
    for speed in DECADES:
        x = _x(speed)
        parts.append(_line(x, TOP, x, HEIGHT - BOTTOM) + _text(x, HEIGHT - BOTTOM + 20, f"{speed}"))
    for tenth in range(round(10 * low), 11):
        y = _y(tenth / 10, low)
        parts.append(_line(LEFT, y, WIDTH - RIGHT, y) + _text(LEFT - 25, y + 4, f"{10 * tenth} %"))
    middle = (LEFT + WIDTH - RIGHT) / 2
    return [
        *parts,
        _text(middle, HEIGHT - 15, "frames of 640x480 with one face, a second"),
        _text(LEFT + 60, TOP - 12, "right on the clean test"),
    ]


def _drawn(dot: Dot, low: float) -> list[str]:
    x, y = _x(dot.speed), _y(dot.accuracy, low)
    colour = "#0072b2" if dot.ours else "#767676"
    circle = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="{colour}"/>'
    name = (
        f'<text x="{x + 11:.1f}" y="{y + 5:.1f}" {TEXT} fill="{colour}">{escape(dot.name)}</text>'
    )
    return [circle, name]


def _x(speed: float) -> float:
    part = math.log10(min(max(speed, DECADES[0]), DECADES[-1]) / DECADES[0])
    return LEFT + (WIDTH - LEFT - RIGHT) * part / math.log10(DECADES[-1] / DECADES[0])


def _y(accuracy: float, low: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - accuracy) / (1 - low)


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="#dddddd"/>'


def _text(x: float, y: float, text: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {TEXT} text-anchor="middle">{escape(text)}</text>'
