"""How often and how much each picture counts in a training."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mer.data.dataset import gather
from tools.training.sampling import Drawn, balanced, chances


def test_rare_classes_weigh_more(tiny_data: Path) -> None:
    corpus = gather([tiny_data], 16, fraction=0.3, seed=0)
    rare = corpus.pictures.targets.copy()
    rare[corpus.train[1:], :] = np.eye(7, dtype=np.float32)[3]
    rare[corpus.train[0], :] = np.eye(7, dtype=np.float32)[2]
    corpus = replace(corpus, pictures=replace(corpus.pictures, targets=rare))
    np.testing.assert_allclose(balanced(corpus, 0.0).pictures.targets, rare)
    even = balanced(corpus, 1.0).pictures.targets
    mass = even[corpus.train].sum(0)
    assert mass[2] == pytest.approx(mass[3])
    assert even[corpus.train].sum() == pytest.approx(len(corpus.train), rel=1e-5)
    np.testing.assert_allclose(even[corpus.validation], rare[corpus.validation])


def test_small_sets_and_rare_classes_come_as_often(tiny_data: Path) -> None:
    corpus = gather([tiny_data], 16, fraction=0.3, seed=0)
    corpus = replace(corpus, sets=np.arange(len(corpus.pictures)) % 5 // 4)
    plain, even = chances(corpus, 0.0), chances(corpus, 1.0)
    np.testing.assert_allclose(plain, 1 / len(corpus.train))
    small = corpus.sets[corpus.train] == 1
    assert even[small].sum() == pytest.approx(0.5)
    labels = corpus.pictures.labels[corpus.train]
    shares = [even[~small & (labels == one)].sum() for one in np.unique(labels[~small])]
    np.testing.assert_allclose(shares, shares[0])


def test_an_epoch_draws_so_many_pictures_anew(tiny_data: Path) -> None:
    corpus = gather([tiny_data], 16, fraction=0.3, seed=0)
    rows, one = corpus.train[:4], np.array([0.0, 0.0, 1.0, 0.0])
    drawn = Drawn(corpus.pictures, rows, batch=5, copies=1, draws=10, chances=one)
    assert len(drawn) == 2
    assert set(drawn.order % 4) == {2}
    before = drawn.order.tolist()
    drawn.start(1)
    assert drawn.order.tolist() != before
