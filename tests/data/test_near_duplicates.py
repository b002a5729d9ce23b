import numpy as np
import pytest

from mer.data import near_duplicates


def smooth(seed: int, side: int = 80) -> np.ndarray:
    """A picture of broad shapes, RGB uint8 (side, side, 3)."""
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 1), dtype=np.uint8)
    return np.repeat(
        np.kron(coarse[..., 0], np.ones((side // 8, side // 8), np.uint8))[..., None], 3, 2
    )


def test_nothing_has_no_pairs_and_no_groups() -> None:
    nothing = np.zeros((0, 1024), np.float32)
    found = near_duplicates.pairs(nothing)
    assert [len(values) for values in found] == [0, 0, 0, 0]
    assert len(near_duplicates.pairs(nothing, nothing).first) == 0
    assert near_duplicates.groups(nothing).shape == (0,)


@pytest.mark.parametrize("shape", [(1, 1, 3), (40, 40), (5, 700, 3)])
def test_flat_pictures_correlate_with_nothing(shape: tuple[int, ...]) -> None:
    flat = near_duplicates.thumbnail(np.full(shape, 200, np.uint8))
    assert flat.shape == (1024,)
    assert not flat.any()
    several = np.stack([flat, flat, near_duplicates.thumbnail(smooth(0))])
    assert len(near_duplicates.pairs(several).first) == 0
    assert len(set(near_duplicates.groups(several))) == 3


def test_nearly_flat_pictures_are_no_twins() -> None:
    noisy = np.full((32, 32), 128, np.uint8)
    noisy[::2] += 1
    assert not near_duplicates.thumbnail(noisy).any()


def test_a_thumbnail_has_zero_mean_and_unit_length(astronaut: np.ndarray) -> None:
    values = near_duplicates.thumbnail(astronaut)
    assert values.dtype == np.float32
    assert values.mean() == pytest.approx(0, abs=1e-6)
    assert np.linalg.norm(values) == pytest.approx(1, abs=1e-6)


def test_size_brightness_and_mirroring_do_not_hide_a_twin(astronaut: np.ndarray) -> None:
    other = (astronaut[:, ::-1] * 0.5 + 40).astype(np.uint8)
    thumbnails = np.stack(
        [near_duplicates.thumbnail(p) for p in (astronaut, astronaut[::4, ::4], other)]
    )
    found = near_duplicates.pairs(thumbnails)
    assert list(zip(found.first, found.second, found.mirrored, strict=True)) == [
        (0, 1, False),
        (0, 2, True),
        (1, 2, True),
    ]
    assert (found.correlation > 0.9).all()


def test_pairs_of_two_sets_are_found_in_each_direction() -> None:
    a = np.stack([near_duplicates.thumbnail(smooth(seed)) for seed in (0, 1, 2)])
    b = np.stack([near_duplicates.thumbnail(smooth(seed)) for seed in (5, 2)])
    assert [v.tolist() for v in near_duplicates.pairs(a, b)[:2]] == [[2], [1]]
    assert [v.tolist() for v in near_duplicates.pairs(b, a)[:2]] == [[1], [2]]


def test_blocks_give_what_one_product_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(0).normal(size=(50, 1024)).astype(np.float32)
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    whole = near_duplicates.pairs(noise, threshold=0.02)
    monkeypatch.setattr(near_duplicates, "BLOCK", 7)
    blocks = near_duplicates.pairs(noise, threshold=0.02)
    assert len(whole.first) > 100
    assert (whole.first < whole.second).all()
    np.testing.assert_array_equal(np.stack(whole[:2]), np.stack(blocks[:2]))
    np.testing.assert_allclose(whole.correlation, blocks.correlation, atol=1e-6)


def test_twins_of_twins_are_in_one_group() -> None:
    a, b = np.zeros((2, 1024), np.float32)
    a[0] = b[1] = 1  # at right angles
    between = (a + b) / np.sqrt(np.float32(2))  # correlates by 0.71 with both
    alone = np.zeros(1024, np.float32)
    alone[500] = 1
    numbers = near_duplicates.groups(np.stack([a, alone, b, between]), threshold=0.7)
    assert numbers[0] == numbers[2] == numbers[3] != numbers[1]
