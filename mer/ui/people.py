"""Who a video shows: for each person a line, the ribbon of expressions and the motion by region."""

from html import escape
from typing import Any, Final

import gradio as gr

from mer.results import video_charts
from mer.video import notes
from mer.video.types import KINDS, Analysis, Person

SHOWN: Final = 4  # people; the downloads hold everyone
_CALLED: Final = {
    "micro": ("micro-expression", "micro-expressions"),
    "macro": ("macro-expression", "macro-expressions"),
    "blink": ("blink", "blinks"),
    "speech": ("stretch of speech", "stretches of speech"),
}


def build() -> list[gr.components.Component]:
    """Lay out the panels, hidden until there is somebody; return what `show` fills."""
    with gr.Column(elem_id="people"):
        return [component for _ in range(SHOWN) for component in _panel()]


def _panel() -> list[gr.components.Component]:
    heading = gr.HTML(visible=False, js_on_load=None)
    plots = [gr.Plot(show_label=False, container=False, visible=False) for _ in range(2)]
    return [heading, *plots]


def show(found: Analysis | None, *, lines: bool = False) -> list[Any]:
    """Updates of what `build` returned: those who were seen longest, in the order of numbers."""
    people = found.people if found else ()
    longest = sorted(people, key=lambda person: -len(person.times_ms))[:SHOWN]
    updates: list[Any] = []
    for person in sorted(longest, key=lambda one: one.number):
        assert found is not None
        span = found.span_ms
        ribbon = video_charts.ribbon(person, span_ms=span, lines=lines)
        motion = video_charts.motion(person, found.events, span_ms=span)
        updates += [gr.HTML(_heading(person), visible=True)]
        updates += [gr.Plot(figure, visible=True) for figure in (ribbon, motion)]
    hidden = [gr.HTML("", visible=False), *[gr.Plot(None, visible=False)] * 2]
    return updates + hidden * (SHOWN - len(longest))


def _heading(person: Person) -> str:
    first, last = person.times_ms[0] / 1000, person.times_ms[-1] / 1000
    said = f"In view from {first:.1f} to {last:.1f} s"
    if len(person.sampled_ms):
        most = person.classes[int(person.probabilities.mean(axis=0).argmax())]
        said += f", looks most like {most}"
    hidden = notes.covered(person)
    said += f"; {hidden}" if hidden else ""
    return f"<h3>Person {person.number}</h3><p>{escape(said)}.</p>"


def summary(found: Analysis) -> list[str]:
    """Sentences on how much was seen of whom, and how many events of each kind."""
    if not found.people:
        return []
    timing = found.timing
    frames = f"{timing.frames} frames, {timing.fps:.1f} a second"
    people = _counted(len(found.people), ("person", "people"))
    said = [f"{people} in {timing.duration_ms / 1000:.1f} s of video ({frames}).", _events(found)]
    if len(found.people) > SHOWN:
        said.append(f"Shown are the {SHOWN} who were seen longest; the downloads hold everyone.")
    return said


def _events(found: Analysis) -> str:
    """'Events (experimental): 1 micro-expression, 2 macro-expressions, 3 blinks.'"""
    kinds = [event.kind for event in found.events]
    told = [_counted(kinds.count(kind), _CALLED[kind]) for kind in KINDS if kind in kinds]
    return f"Events (experimental): {', '.join(told) or 'none'}."


def _counted(count: int, names: tuple[str, str]) -> str:
    return f"{count} {names[count != 1]}"
