"""A face's motion, region by region, from frames made here of a real face."""

from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest

from mer.faces import alignment, detection
from mer.faces.detection import Face
from mer.video.motion.region_signals import GAP_MS, Motion, stretches
from mer.video.types import REGIONS

Shift = Callable[[float], tuple[float, float]]  # x, y in pixels of the aligned face, by time


@pytest.fixture
def head(astronaut: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(astronaut[20:220, 120:320])


@pytest.fixture
def face(head: np.ndarray) -> Face:
    (found,) = detection.detect(head)
    return found


def still(time_ms: float) -> tuple[float, float]:
    return 0.0, 0.0


class Puppet:
    """The astronaut, whose left mouth corner moves; the head may sway, the light may flicker."""

    def __init__(self, image: np.ndarray, face: Face) -> None:
        self.image, self.face = image, face
        corner = np.array(face.points[4])
        across, down = np.meshgrid(np.arange(200.0), np.arange(200.0))
        self.near = np.exp(-((across - corner[0]) ** 2 + (down - corner[1]) ** 2) / (2 * 7**2))
        self.across, self.down = across, down
        self.scale = float(np.hypot(*alignment.by_eyes(face)[0, :2]))

    def frames(
        self, shift: Shift, *, fps: float = 30, seconds: float = 1.0, sway: float = 0.0
    ) -> Iterator[tuple[float, np.ndarray, Face]]:
        random = np.random.default_rng(0)
        for time_ms in np.arange(0, 1000 * seconds, 1000 / fps):
            x, y = (value / self.scale for value in shift(time_ms))
            across = (self.across - x * self.near).astype(np.float32)
            down = (self.down - y * self.near).astype(np.float32)
            moved = cv2.remap(self.image, across, down, cv2.INTER_CUBIC)
            phase = time_ms / 1000
            turn = cv2.getRotationMatrix2D((100, 90), 4 * sway * np.sin(2 * phase), 1)
            turn[:, 2] += 6 * sway * np.sin(3 * phase), 4 * sway * np.sin(phase)
            swayed = cv2.warpAffine(moved, turn, (200, 200), borderMode=cv2.BORDER_REPLICATE)
            noisy = swayed + random.normal(0, 2, swayed.shape) + 6 * sway * np.sin(9 * phase)
            points = np.array(self.face.points) @ turn[:, :2].T + turn[:, 2]
            points += random.normal(0, 0.3, points.shape)
            x0, y0, width, height = self.face.box
            box = round(x0 + turn[0, 2]), round(y0 + turn[1, 2]), width, height
            marks = tuple((float(px), float(py)) for px, py in points)
            yield float(time_ms), noisy.clip(0, 255).astype(np.uint8), Face(box, 1.0, marks)


def measured(
    frames: Iterator[tuple[float, np.ndarray, Face]],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    motion = Motion()
    for frame in frames:
        motion.push(*frame)
    return motion.arrays()


def test_nothing_seen_is_nothing_measured() -> None:
    times, motion, direction = Motion().arrays()
    assert times.shape == (0,)
    assert motion.shape == (0, len(REGIONS))
    assert direction.shape == (0, len(REGIONS), 2)


def test_a_blank_picture_does_not_move() -> None:
    blank = np.full((120, 160, 3), 90, np.uint8)
    box = Face((40, 30, 60, 70), 1.0)
    _, motion, direction = measured((time, blank, box) for time in (0.0, 33.0, 67.0))
    assert motion.dtype == direction.dtype == np.float32
    assert np.abs(direction).max() == 0


@pytest.mark.parametrize("sway", [0.0, 1.0])
def test_a_head_that_sways_is_no_expression(head: np.ndarray, face: Face, sway: float) -> None:
    _, motion, _ = measured(Puppet(head, face).frames(still, seconds=1.5, sway=sway))
    assert not np.isnan(motion).any()
    assert np.quantile(motion, 0.9) < 0.25


@pytest.mark.parametrize("fps", [25, 60])
def test_the_region_that_moves_is_found(head: np.ndarray, face: Face, fps: float) -> None:
    def smile(time_ms: float) -> tuple[float, float]:
        part = np.sin(np.pi * np.clip((time_ms - 600) / 400, 0, 1)) ** 2
        return 1.5 * part, -3.0 * part

    frames = Puppet(head, face).frames(smile, fps=fps, seconds=1.5, sway=0.5)
    times, motion, direction = measured(frames)
    apex = int(np.abs(times - 800).argmin())
    moved = direction[apex - 1 : apex + 2].mean(axis=0)
    region = REGIONS.index("left mouth corner")
    assert motion[apex].argmax() == region
    assert moved[region, 0] > 0.2
    assert moved[region, 1] < -0.7
    brows = [REGIONS.index(name) for name in ("right brow", "between brows", "left brow")]
    assert np.abs(moved[brows]).max() < 0.3


def test_a_new_reference_joins_the_old_one_s_signal(head: np.ndarray, face: Face) -> None:
    def grin(time_ms: float) -> tuple[float, float]:
        return 0.0, -3.0 * min(1.0, time_ms / 500)

    _, _, direction = measured(Puppet(head, face).frames(grin, fps=25, seconds=3))
    up = -direction[:, REGIONS.index("left mouth corner"), 1]
    assert up[25] - up[0] > 0.8
    assert np.abs(np.diff(up[25:])).max() < 0.2  # after 1 s; the reference is renewed at 2.2 s


def test_a_hidden_face_is_not_measured(head: np.ndarray, face: Face) -> None:
    seen = list(Puppet(head, face).frames(still, seconds=0.5))
    noise = np.random.default_rng(0).integers(0, 256, head.shape, dtype=np.uint8)
    motion = Motion()
    for time, image, found in seen:
        motion.push(time, image, found)
    for time, _, found in seen[:6]:
        motion.push(time + 500, cv2.GaussianBlur(noise, (0, 0), 4), found)
    for time, image, found in seen:
        motion.push(time + 700, image, found)
    _, moved, _ = motion.arrays()
    assert np.isnan(moved[15:21]).any()
    assert not np.isnan(moved[:15]).any()
    assert not np.isnan(moved[23:]).any()  # it may take a frame to find the face again


def test_stretches_end_at_gaps_and_bear_what_is_missing() -> None:
    times = np.array([0, 40, 80, 120, 120 + GAP_MS + 1, 680, 720])
    vectors = np.zeros((7, len(REGIONS), 2))
    vectors[[1, 6]] = np.nan
    assert [part.tolist() for part in stretches(times, vectors)] == [[0, 2, 3], [4, 5]]
    assert stretches(times[:0], vectors[:0]) == []
    assert stretches(times[1:2], vectors[1:2]) == []


def test_a_pause_begins_anew(head: np.ndarray, face: Face) -> None:
    frames = list(Puppet(head, face).frames(still, seconds=0.2))
    motion = Motion()
    for pause in (0.0, 5000.0):
        for time, image, found in frames:
            motion.push(time + pause, image, found)
    times, moved, direction = motion.arrays()
    assert len(times) == len(moved) == 2 * len(frames)
    assert [len(part) for part in stretches(times, direction)] == [len(frames)] * 2


def test_a_face_cut_by_the_edge_moves_only_where_it_is_seen(head: np.ndarray, face: Face) -> None:
    edge = round(face.points[2][0]) + 4  # just beyond the nose: half the face is left
    frames = Puppet(head, face).frames(still, seconds=0.5)
    _, _, direction = measured(
        (time, np.ascontiguousarray(image[:, :edge]), found) for time, image, found in frames
    )
    assert np.abs(direction[:, REGIONS.index("left brow")]).max() == 0
    assert np.abs(direction[:, REGIONS.index("right brow")]).max() > 0
