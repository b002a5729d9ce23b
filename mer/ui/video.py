"""The Video tab: a video in; who is seen when, what they look like, and what passes over them."""

import contextlib
import math
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import gradio as gr

from mer.errors import MerError
from mer.results import drawing, video_report, video_tables
from mer.ui import choices, downloads, events, examples, notes, people, player, upload
from mer.video import analysis
from mer.video.types import Analysis

MAX_FILE_MB: Final = 200
MAX_MINUTES: Final = 10  # of a video: two at a time are analysed, and others wait
_REMEMBERED_S: Final = 3600  # seconds that an analysis, numbers only, waits for questions
_EMPTY: Final = (
    f"Choose a video of up to {MAX_FILE_MB} MB and {MAX_MINUTES} minutes, or film yourself, and "
    "press Analyse. Micro-expressions ask for steady light and 50 frames a second or more."
)
_MISSING: Final = "There is no video yet. Choose one, record one or take an example, then Analyse."
_GONE: Final = (
    "The video has been deleted, as every one is a few minutes after its last use. Choose it "
    "again, and press Analyse."
)
_TRY: Final = (
    "Try a video with more light, or with the face larger and turned to the camera; or the other "
    "face detector."
)
_NOTHING_YET: Final = '<div class="here"></div>'
_UNKNOWN: Final = "This is no longer known. Press Analyse again."


class Seen(NamedTuple):
    """What a visitor's last analysis was of, and what came of it."""

    path: str
    found: Analysis


_stops: Final[dict[str, threading.Event]] = {}  # by session, of the analyses that run


def build(network: gr.Radio, detector: gr.Radio) -> None:
    """Lay out the tab inside the current `gr.Tab`."""
    seen = gr.State(None, time_to_live=_REMEMBERED_S)
    with gr.Row(equal_height=False):
        with gr.Column(min_width=320, scale=2):
            film = gr.Video(
                sources=["upload", "webcam"],
                label="Video",
                include_audio=False,  # of recordings
                webcam_options=gr.WebcamOptions(mirror=False),
                elem_id="film",
            )
            examples.build(film)
            asked = _asked()
            go = gr.Button("Analyse", variant="primary", elem_id="analyse")
            stop = gr.Button("Cancel", size="sm", visible=False, elem_id="stop")
        with gr.Column(min_width=320, scale=3):
            answer = gr.HTML(notes.lines([_EMPTY]), elem_id="video-answer", js_on_load=None)
            screen = gr.HTML(elem_id="player", js_on_load=None)
    lines = gr.Checkbox(label="A line for each class", visible=False, elem_id="lines")
    panels = people.build()
    table = gr.HTML(elem_id="events", js_on_load=None)
    look = gr.HTML(_NOTHING_YET, visible=False, elem_id="look", js_on_load=None)
    made = gr.HTML(visible="hidden", elem_id="made", js_on_load=None)
    _savers(film, seen, made)
    outputs = [answer, screen, lines, *panels, table, look, seen, go, stop]
    lines.input(_redrawn, [lines, seen], panels, api_visibility="private", show_progress="hidden")
    go.click(
        read,
        [film, network, detector, *asked],
        outputs,
        api_name="video",
        api_visibility="undocumented",
        preprocess=False,  # which would take the sound out of an upload, with ffmpeg
        show_progress_on=[answer],
    ).then(js="() => window.mer.film()")
    stop.click(cancel, queue=False, api_visibility="private")
    _closer(seen, made, look)
    gr.Button(visible="hidden", elem_id="copier").click(
        partial(copy, film.temp_files), seen, screen, api_visibility="private"
    ).then(js="() => window.mer.film()")


def _asked() -> list[gr.components.Component]:
    """What is read of a video and whether faces are measured, folded; what `read` takes last."""
    with gr.Accordion("Options: a part of the video, measures", open=False, elem_id="part"):
        with gr.Row():
            start = gr.Number(0, label="From, s", minimum=0, min_width=80)
            end = gr.Number(0, label="To, s (0: the end)", minimum=0, min_width=80)
            every = gr.Number(1, label="One of N frames", precision=0, minimum=1, min_width=80)
        measure = gr.Checkbox(False, label=upload.MEASURE, elem_id="measure-video")
    return [start, end, every, measure]


def _closer(seen: gr.State, made: gr.HTML, look: gr.HTML) -> None:
    """What the page's script presses when an event is chosen in the table or in a chart."""
    number = gr.Number(visible=False, precision=0, label="Event")
    press = gr.Button(visible="hidden", elem_id="look-closer").click(
        show,
        [number, seen],
        made,
        js="(_, ...rest) => [window.mer.chosen(), ...rest]",
        api_visibility="private",
        trigger_mode="always_last",
        show_progress_on=[look],
    )
    _handed_over(press, "look", made)


def _savers(film: gr.Video, seen: gr.State, made: gr.HTML) -> None:
    """What the buttons of the Export menu press, one for each file."""
    makers = {name: partial(save, name) for name in _FILES}
    makers[_ANNOTATED] = partial(annotated, film.temp_files)
    for name, make in makers.items():
        button = gr.Button(name, visible="hidden", elem_id=_saver(name))
        _handed_over(button.click(make, seen, made, api_visibility="private"), "save", made)


def _saver(name: str) -> str:
    return f"save-{name.replace(' ', '-')}"


def _export() -> str:
    """The Export menu, as HTML."""
    buttons = "".join(
        f'<button type="button" class="save" data-press="#{_saver(name)}">Download {name}</button>'
        for name in [*_FILES, _ANNOTATED]
    )
    return f'<details class="export"><summary>Export</summary>{buttons}</details>'


def _handed_over(press: Any, function: str, made: gr.HTML) -> None:
    """Have page.js take what was made; then empty it, for Gradio remembers what components hold."""
    press.then(js=f"() => window.mer.{function}()").then(
        lambda: "", None, made, api_visibility="private", show_progress="hidden"
    )


def read(
    film: dict[str, Any] | None,
    network: str,
    detector: str,
    start: float | None,
    end: float | None,
    every: float | None,
    measure: bool,
    request: gr.Request,
    progress: gr.Progress = gr.Progress(),
) -> Iterator[list[Any]]:
    """Analyse a video, given as Gradio gives a file: faces, expressions and events over time.

    Yields updates of: the answer as HTML, the player, lines or areas, heading and charts of each
    person, the events with the Export menu, the closer look, the analysis, the two buttons.
    """
    if not film:
        yield _page(problems=[_MISSING])
        return
    path = str(film["path"])
    session = str(request.session_hash)
    stop = _stops[session] = threading.Event()
    yield [*_page()[:-2], gr.Button(interactive=False), gr.Button(visible=True)]

    def told(part: float, sentence: str) -> None:
        renew(path)
        progress(part, desc=sentence)

    try:
        choices.check(network, detector)
        found = analysis.analyse(
            path,
            model=network,
            detector=detector,
            progress=told,
            cancelled=stop.is_set,
            longest_s=60 * MAX_MINUTES,
            start_s=start or 0.0,
            end_s=end or math.inf,
            every=int(every or 1),
            measure=measure,
        )
        nobody = [] if found.people else [_no_face(found)]
        yield _page(Seen(path, found), problems=nobody)
    except MerError as error:
        gone = not Path(path).exists()
        yield _page(problems=[_GONE if gone else str(error)])
    finally:
        _stops.pop(session, None)


def _redrawn(lines: bool, seen: Seen | None) -> list[Any]:
    """The charts again, with lines or areas."""
    return people.show(seen.found if seen else None, lines=lines)


def cancel(request: gr.Request) -> None:
    """Stop the analysis that this visitor started; what was read until then is shown."""
    stop = _stops.get(str(request.session_hash))
    if stop:
        stop.set()


def copy(temporary: set[str], seen: Seen | None) -> str:
    """The player again, of a copy that every browser plays; it is deleted as uploads are."""
    if seen is None:
        raise MerError(_UNKNOWN)
    path = player.copy(seen.path, seen.found.timing.fps)
    temporary.add(str(path))
    return player.html(path, seen.found, "copy")


def annotated(temporary: set[str], seen: Seen | None, progress: gr.Progress = gr.Progress()) -> str:
    """A link to the annotated video, which is deleted as uploads are, for the page's script."""
    if seen is None:
        raise MerError(_UNKNOWN)
    target = Path(seen.path).with_name("annotated.webm")

    def told(part: float, sentence: str) -> None:
        renew(seen.path)
        progress(part, desc=sentence)

    drawing.annotate_video(target, seen.path, seen.found, told)
    temporary.add(str(target))
    name = downloads.name("annotated", [seen.found.source])
    return downloads.link(f"{name}.webm", "Download", f"gradio_api/file={quote(str(target))}")


def show(number: int, seen: Seen | None) -> str:
    """The event of this number (from 0) closely, as HTML."""
    if seen is None or not 0 <= number < len(seen.found.events):
        return notes.lines([], problems=[_UNKNOWN])
    if not Path(seen.path).exists():
        return notes.lines([], problems=[_GONE])
    renew(seen.path)
    try:
        look = analysis.look(seen.path, seen.found, seen.found.events[number])
    except MerError as error:
        return notes.lines([], problems=[str(error)])
    return events.closely(number + 1, seen.found.events[number], look)


_FILES: Final[dict[str, tuple[str, str, Callable[[Seen], str]]]] = {
    "CSV of frames": ("frames", "csv", lambda seen: video_tables.frames_csv(seen.found)),
    "CSV of events": ("events", "csv", lambda seen: video_tables.events_csv(seen.found)),
    "JSON": ("video", "json", lambda seen: video_tables.to_json(seen.found)),
    "report": ("report", "html", lambda seen: video_report.html(seen.found, seen.path)),
}
for _name in ("CSV of frames", "CSV of events"):
    _FILES[f"{_name} for Excel"] = _FILES[_name][0], "excel.csv", _FILES[_name][2]
_ANNOTATED: Final = "annotated video"


def save(name: str, seen: Seen | None) -> str:
    """A link that holds one of _FILES, for the page's script to follow."""
    if seen is None:
        raise MerError(_UNKNOWN)
    renew(seen.path)
    title, ending, written = _FILES[name]
    name = downloads.name(title, [seen.found.source])
    return downloads.links(name, {ending: written(seen)})


def renew(path: str) -> None:
    """Start the minutes anew after which the page deletes this file: it is in use."""
    with contextlib.suppress(FileNotFoundError):
        os.utime(path)


def _no_face(found: Analysis) -> str:
    read = found.timing.duration_ms / 1000
    return f"No face found in {found.source}, of which {read:.1f} s were read. {_TRY}"


def _page(seen: Seen | None = None, problems: Sequence[str] = ()) -> list[Any]:
    found = seen.found if seen else None
    return [
        notes.lines([*people.summary(found), *found.notes] if found else [], problems=problems),
        player.html(seen.path, seen.found) if seen else "",
        gr.Checkbox(False, visible=bool(found and found.people)),
        *people.show(found),
        events.table(found.events) + _export() if found and found.people else "",
        gr.HTML(_NOTHING_YET, visible=found is not None),
        seen,
        gr.Button(interactive=True),
        gr.Button(visible=False),
    ]
