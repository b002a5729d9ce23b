import numpy as np

from mer.emotions import EMOTIONS
from mer.evaluation.metrics import evaluate
from mer.models.registry import MODELS
from mer.results import paper


def test_figure_6_counts_the_test_pictures_of_each_class() -> None:
    counts = np.array(paper.FIGURE_6)
    assert counts.shape == (len(EMOTIONS), len(EMOTIONS))
    assert counts.sum(axis=1).tolist() == [350, 160, 120, 480, 160, 330, 260]


def test_figure_6_gives_82_20_over_the_pictures_and_the_82_53_of_table_1_over_batches() -> None:
    counts = np.array(paper.FIGURE_6)
    assert round(100 * evaluate(counts)["accuracy"], 2) == 82.20
    # The pictures lie in the order of the classes: four batches of 400, and the last class's 260,
    # which weigh as much as 400 do.
    right = np.diagonal(counts)
    assert counts[-1].sum() == 1860 - 4 * 400
    mean = (right[:-1].sum() / 400 + right[-1] / 260) / 5
    assert round(100 * mean, 2) == paper.TABLE_1[0].test


def test_each_line_of_table_1_names_a_network_that_was_built_here() -> None:
    assert [row.ours for row in paper.TABLE_1] == ["cnn1", "cnn2", "resnet18"]
    assert {row.ours for row in paper.TABLE_1} <= set(MODELS)


def test_table_1_is_in_the_order_of_finishing() -> None:
    assert [row.finished for row in paper.TABLE_1] == ["first", "second", "third"]


def test_the_papers_table_is_as_printed() -> None:
    table = paper.table()
    assert table.iloc[0].tolist() == ["CNN Model 1", "91.20 %", "82.53 %", "first"]
