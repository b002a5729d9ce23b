import json
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from mer.evaluation.metrics import evaluate
from mer.results import charts
from mer.results.paper import FIGURE_6
from tests.records import record

NETWORKS = {"cnn1": record("cnn1"), "resnet18": record("resnet18", seconds=40)}


def everything() -> list[go.Figure]:
    scores = evaluate(np.array(FIGURE_6))
    return [
        charts.confusion(scores["confusion"]),
        charts.curves(NETWORKS["cnn1"]),
    ]


def test_a_figure_sets_its_height_and_lets_the_page_show_through() -> None:
    for figure in everything():
        assert figure.layout.height >= 100
        assert figure.layout.autosize
        assert figure.layout.width is None
        assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0, 0, 0, 0)"


def test_a_finger_that_scrolls_the_page_does_not_move_a_chart() -> None:
    for figure in everything():
        axes = [*figure.select_xaxes(), *figure.select_yaxes()]
        assert figure.layout.dragmode is False
        assert all(axis.fixedrange for axis in axes)


def test_figures_are_valid_json_and_small() -> None:
    for figure in everything():
        text = figure.to_json()
        json.loads(text, parse_constant=pytest.fail)
        assert len(text) < 20_000


def test_a_figure_says_what_it_shows() -> None:
    assert all(len(figure.layout.meta["alt"]) > 20 for figure in everything())


def test_the_confusion_matrix_is_coloured_by_row_and_shows_each_count_with_its_share() -> None:
    figure = charts.confusion(FIGURE_6)
    cells, pale = figure.data
    shares = np.array(cells.z)
    assert shares.sum(axis=1) == pytest.approx(np.ones(7))
    written: list[str] = [text for row in cells.text for text in row if text] + list(pale.text)
    counts = sorted(text.split("<br>")[0] for text in written)
    assert counts == sorted(str(count) for row in FIGURE_6 for count in row)
    assert f"{FIGURE_6[0][0]}<br>{100 * shares[0][0]:.0f} %" in written
    assert figure.layout.yaxis.autorange == "reversed"  # the first class on top


def test_a_class_without_pictures_is_a_pale_row_of_the_confusion_matrix() -> None:
    counts = [[0] * 7, *[list(row) for row in FIGURE_6[1:]]]
    assert not np.array(charts.confusion(counts).data[0].z)[0].any()


def test_learning_curves_count_epochs_on_through_the_stages_and_mark_them() -> None:
    figure = charts.curves(record())
    assert {trace.name for trace in figure.data} == {"train", "validation"}
    assert all(list(trace.x) == [1, 2, 3, 4, 5] for trace in figure.data)
    assert [note.text for note in figure.layout.annotations] == ["1", "2"]
    assert [line.x0 for line in figure.layout.shapes] == [2.5]


def test_learning_curves_bear_an_epoch_without_validation() -> None:
    whole: dict[str, Any] = record()
    del whole["training"]["stages"][0]["history"][0]["validation_loss"]
    assert charts.curves(whole).data[3].y[0] is None
