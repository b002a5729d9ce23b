"""Clips with known truth, made from one picture of a real face: expressions warped in and out.

They are made, not filmed: what passes over the face is smooth, small and short, as an expression
may be, but no more than that. All movement depends on time and seed alone, so that clips at 25 and
at 120 frames a second show the same.
"""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from benchmarks.synthetic import timeline
from benchmarks.synthetic.face_warp import Puppet
from benchmarks.synthetic.timeline import Expression
from mer.io.video import Frame


class Clip:
    """Frames with known truth; iterating makes them, one at a time, the same each time.

    Attributes:
        truth: the events by onset, blinks and speech among them.
        size: width and height of the frames.
        fps, seconds: frame rate and length.
    """

    def __init__(
        self,
        picture: np.ndarray,
        *,
        fps: float = 30,
        seconds: float = 20,
        events: Sequence[Expression] = (),
        drift: float = 1.0,
        blinks: float = 15,
        speech: float = 0,
        flicker: float = 0.01,
        noise: float = 2.0,
        quality: int = 85,
        size: tuple[int, int] = (640, 480),
        seed: int = 0,
    ) -> None:
        """Lay down what will happen.

        Args:
            picture: RGB uint8 (height, width, 3), with a face.
            fps: frames a second.
            seconds: length.
            events: the expressions, such as `plan` gives them.
            drift: how much the head moves; 1 is a sitting person, 0 a tripod and a statue.
            blinks: a minute.
            speech: stretches of speech a minute, put between the expressions.
            flicker: of the brightness, as a part of it.
            noise: of each pixel, its standard deviation in gray levels.
            quality: of the JPEG that each frame goes through, 1..100.
            size: width and height of the frames; the face is 200 pixels high in any.
            seed: of all chance.

        Raises:
            MerError: no face is found in the picture.
        """
        self.fps, self.seconds, self.size = fps, seconds, size
        self._puppet = Puppet(picture, size)
        self._events, self._seed = tuple(events), seed
        self._noise, self._quality = _gaussian(noise), quality
        self._blinks = timeline.blinks(seconds, blinks, seed)
        self._speech = timeline.speech(seconds, speech, self._events, seed)
        self._sway = timeline.Sway(drift, flicker, seed)
        truth = [one.event() for one in self._events]
        truth += [one.event() for one in self._blinks]
        truth += [one.event() for one in self._speech]
        self.truth = sorted(truth, key=lambda event: event.onset_ms)

    def __len__(self) -> int:
        return round(self.seconds * self.fps)

    def __iter__(self) -> Iterator[Frame]:
        random = np.random.default_rng([self._seed, 5])
        for index in range(len(self)):
            time_ms = 1000 * index / self.fps
            yield Frame(index, time_ms, self._filmed(self._still(time_ms), time_ms, random))

    def _still(self, time_ms: float) -> np.ndarray:
        pixels: dict[str, float] = {}
        for event in self._events:
            if event.onset_ms < time_ms < event.offset_ms:
                pixels[event.place] = event.pixels * event.level(time_ms)
        for speech in self._speech:
            if speech.onset_ms < time_ms < speech.offset_ms:
                pixels["speech"] = timeline.SPOKEN * speech.level(time_ms)
        closed = max((blink.level(time_ms) for blink in self._blinks), default=0.0)
        return self._puppet.frame(self._sway.pose(time_ms), pixels, closed)

    def _filmed(self, image: np.ndarray, time_ms: float, random: np.random.Generator) -> np.ndarray:
        """The image as a camera gives it: unsteady light, noise of the sensor, compression."""
        lit = cv2.convertScaleAbs(image, alpha=self._sway.light(time_ms))
        draws = np.frombuffer(random.bytes(image.size), np.uint8).reshape(image.shape)
        noisy = cv2.add(lit, cv2.LUT(draws, self._noise), dtype=cv2.CV_8U)
        options = [cv2.IMWRITE_JPEG_QUALITY, self._quality]
        _, file = cv2.imencode(".jpg", cv2.cvtColor(noisy, cv2.COLOR_RGB2BGR), options)
        return np.asarray(cv2.imdecode(file, cv2.IMREAD_COLOR_RGB))


def _gaussian(deviation: float) -> np.ndarray:
    """Int8 (256,): what a random byte stands for, so that noise costs no more than a look-up."""
    from scipy.stats import norm

    table = norm.ppf((np.arange(256) + 0.5) / 256) * deviation
    return table.round().clip(-128, 127).astype(np.int8)
