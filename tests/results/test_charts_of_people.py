"""Tests of the figures of one person of a video."""

import json
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from mer.emotions import COLORS, EMOTIONS
from mer.results import charts
from mer.video.types import KINDS, REGIONS, Event, Person
from tests.video.analyses import BLINK, SMILE, analysis, hidden_person, person

NOBODY = Person(
    1,
    np.zeros(0),
    np.zeros((0, 4), np.int32),
    np.zeros((0, 5, 2), np.float32),
    np.zeros(0),
    np.zeros((0, 7), np.float32),
    np.zeros(0, bool),
    (),
    np.zeros((0, len(REGIONS)), np.float32),
)


def marks(figure: go.Figure) -> dict[str, go.Scatter]:
    return {trace.name: trace for trace in figure.data if trace.mode == "markers"}


def test_a_person_without_a_frame_has_empty_figures() -> None:
    for figure in (charts.ribbon(NOBODY), charts.motion(NOBODY, [])):
        assert figure.layout.height >= 200
        assert not any(len(trace.x) for trace in figure.data)


def test_figures_are_valid_json_and_stay_small_for_a_long_video() -> None:
    long = person(frames=60 * 60 * 10)
    for figure in (charts.ribbon(long), charts.motion(long, [])):
        text = figure.to_json()
        json.loads(text, parse_constant=pytest.fail)
        assert len(text) < 300_000


def test_figures_of_several_people_share_their_time_axis() -> None:
    found = analysis()
    for one in found.people:
        for figure in (
            charts.ribbon(one, span_ms=(0, 2000)),
            charts.motion(one, found.events, span_ms=(0, 2000)),
        ):
            assert list(figure.layout.xaxis.range) == [0, 2]
            assert figure.layout.margin.l == charts.ribbon(one).layout.margin.l
            assert figure.layout.dragmode is False
            assert figure.layout.xaxis.fixedrange


def test_the_ribbon_stacks_the_seven_classes_in_their_colours() -> None:
    figure = charts.ribbon(person())
    assert [area.name for area in figure.data] == list(EMOTIONS)
    assert [area.fillcolor for area in figure.data] == list(COLORS.values())
    total = np.sum([area.y for area in figure.data], axis=0)
    assert total[1:-1] == pytest.approx(np.ones(len(total) - 2))


def test_the_ribbon_falls_to_nothing_where_the_face_was_away() -> None:
    one = person(frames=120)
    away = (one.sampled_ms > 1000) & (one.sampled_ms < 3000)
    figure = charts.ribbon(
        replace(one, sampled_ms=one.sampled_ms[~away], probabilities=one.probabilities[~away])
    )
    times = np.asarray(figure.data[0].x)
    total = np.sum([area.y for area in figure.data], axis=0)
    inside = np.flatnonzero(np.diff(times) > 1)
    assert len(inside) == 1
    assert total[inside[0]] == total[inside[0] + 1] == 0


def test_the_ribbon_says_where_the_face_was_covered() -> None:
    assert not charts.ribbon(person()).layout.shapes
    figure = charts.ribbon(hidden_person())
    (band,) = figure.layout.shapes
    assert (band.x0, band.x1) == (1.0, 1.5)
    assert [note.text for note in figure.layout.annotations] == ["face covered"]


def test_motion_has_a_row_a_region_and_a_mark_at_each_apex() -> None:
    figure = charts.motion(person(), [SMILE, BLINK])
    rows = [
        trace for trace in figure.data if trace.mode == "lines" and trace.customdata is not None
    ]
    assert len(rows) == len(REGIONS)
    assert [list(trace.x) for trace in marks(figure).values()] == [[0.9], [1.7]]
    assert "macro, right mouth corner up and left" in marks(figure)["macro"].text[0]


def test_a_mark_names_its_event_among_all_of_the_video() -> None:
    other = replace(BLINK, person=2)
    figure = charts.motion(person(2), [SMILE, BLINK, other])
    assert [list(trace.customdata) for trace in marks(figure).values()] == [[2]]


def test_kinds_of_event_differ_in_shape() -> None:
    events = [replace(SMILE, kind=kind) for kind in KINDS]
    drawn = marks(charts.motion(person(), events))
    assert list(drawn) == list(KINDS)
    assert len({trace.marker.symbol for trace in drawn.values()}) == len(KINDS)


def test_a_short_peak_of_a_long_video_stays() -> None:
    one = person(frames=60 * 60 * 10)
    one.motion[20_001, 0] = 3.0
    row = charts.motion(one, []).data[0]
    assert np.nanmax(row.customdata) == 3.0


def test_what_an_event_is_called() -> None:
    event = Event(1, "micro", 1200.0, 1300.0, 1520.0, "lips", "up", 1.62, 8.0)
    assert charts.told(event) == "micro, lips up, 1.20 to 1.52 s, 1.6 px"
