"""Sentences about a video: its length, its frame rate and what that forbids, covered faces."""

from typing import Final

from mer.video.types import LEAST_FPS, Person, Timing

GOOD_FPS: Final = 50.0  # from here on a short micro-expression spans several frames
UNEVEN: Final = 0.5  # of the usual distance of frames; phones stay far below, webcams do not


def clock(time_ms: float, digits: int = 0) -> str:
    """65432.1 -> '1:05', or '1:05.4' with one digit."""
    whole = round(time_ms / 1000, digits)
    hours, minutes, seconds = int(whole // 3600), int(whole % 3600 // 60), whole % 60
    padded = f"{seconds:0{3 + digits if digits else 2}.{digits}f}"
    return f"{hours}:{minutes:02}:{padded}" if hours else f"{minutes}:{padded}"


def covered(person: Person) -> str:
    """'face covered from 0:02.4 to 0:09.4, nothing is said of it there'; "" if it never is."""
    spans = [f"from {clock(first, 1)} to {clock(last, 1)}" for first, last in person.covered]
    return f"face covered {', '.join(spans)}: nothing is said of it there" if spans else ""


def frame_rate(timing: Timing) -> str:
    """What the frame rate allows and forbids to say, in a sentence or two; "" if it is fine."""
    if timing.frames < 2:
        return "The video has a single frame: nothing moves in a single picture."
    rate = f"The video has {timing.fps:.1f} frames a second"
    if not timing.micro:
        return (
            f"{rate}: under {LEAST_FPS:.0f}, nothing is called a micro-expression, for one may "
            f"pass between two frames. Record with {GOOD_FPS:.0f} or more."
        )
    if timing.fps >= GOOD_FPS:
        return ""
    return (
        f"{rate}: the shortest micro-expressions, of 40 ms, pass within a frame or two. "
        f"{GOOD_FPS:.0f} or more are recommended."
    )


def timed(timing: Timing) -> list[str]:
    """Sentences on the frame rate, on frames that come unevenly, and on those that are missing."""
    said = [rate] if (rate := frame_rate(timing)) else []
    if timing.unevenness >= UNEVEN:
        said.append(
            f"The frames come unevenly: the time between two varies by {timing.unevenness:.0%} of "
            "what is usual. Times are those of the frames themselves; what falls into a gap is not "
            "seen."
        )
    if timing.gap_ms:
        said.append(
            f"Frames are missing, {timing.gap_ms / 1000:.1f} s of them at the longest and "
            f"{timing.unseen_ms / 1000:.1f} s in all: what passed over a face then was not seen, "
            "and no micro-expression is claimed across such a gap."
        )
    return said
