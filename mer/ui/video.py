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
from mer.results import drawing, report, video_tables
from mer.ui import header, parts, upload, video_view, visitor_files
from mer.video import analysis
from mer.video.types import Analysis

MAX_FILE_MB: Final = 200
MAX_MINUTES: Final = 10  # of a video: two at a time are analysed, and others wait
_EMPTY: Final = (
    f"Choose a video of up to {MAX_FILE_MB} MB and {MAX_MINUTES} minutes, or film yourself, and "
    "press Analyse. Micro-expressions ask for steady light and 50 frames a second or more."
)
_MISSING: Final = "There is no video yet. Choose one, record one or take an example, then Analyse."
_GONE: Final = (
    "The video has been deleted, as every one is a few minutes after its last use. Choose it "
    "again, and press Analyse."
)
_NO_FACE: Final = (
    "No face found in {0.source}, of which {1:.1f} s were read. Try a video with more light, or "
    "with the face larger and turned to the camera; or the other face detector."
)
_NOTHING_YET: Final = '<div class="here"></div>'
_UNKNOWN: Final = "This is no longer known. Press Analyse again."

_stops: Final[dict[str, threading.Event]] = {}  # by session, of the analyses that run


class Seen(NamedTuple):
    """What a visitor's last analysis was of, and what came of it."""

    path: str
    found: Analysis


# What the Export menu offers: beginning and ending of the file's name, and what writes its text.
_FILES: Final[dict[str, tuple[str, str, Callable[..., str]]]] = {
    "CSV of frames": ("frames", "csv", video_tables.frames_csv),
    "CSV of events": ("events", "csv", video_tables.events_csv),
    "JSON": ("video", "json", video_tables.to_json),
    "report": ("report", "html", report.video_html),
    "CSV of frames for Excel": ("frames", "excel.csv", video_tables.frames_csv),
    "CSV of events for Excel": ("events", "excel.csv", video_tables.events_csv),
}
_SAVERS: Final = {name: f"save-{name.replace(' ', '-')}" for name in (*_FILES, "annotated video")}


def build(network: gr.Radio, detector: gr.Radio) -> None:
    """Lay out the tab inside the current `gr.Tab`."""
    seen = gr.State(None, time_to_live=visitor_files.REMEMBERED_S)
    with gr.Row(equal_height=False):
        with gr.Column(min_width=320, scale=2):
            film = gr.Video(
                sources=["upload", "webcam"],
                label="Video",
                include_audio=False,  # of recordings
                webcam_options=gr.WebcamOptions(mirror=False),
                elem_id="film",
            )
            parts.examples(parts.VIDEOS, film)
            with gr.Accordion("Options: a part of the video, measures", open=False, elem_id="part"):
                number = partial(gr.Number, min_width=80)
                with gr.Row():
                    start = number(0, label="From, s", minimum=0)
                    end = number(0, label="To, s (0: the end)", minimum=0)
                    every = number(1, label="One of N frames", precision=0, minimum=1)
                measure = gr.Checkbox(False, label=upload.MEASURE, elem_id="measure-video")
            go = gr.Button("Analyse", variant="primary", elem_id="analyse")
            stop = gr.Button("Cancel", size="sm", visible=False, elem_id="stop")
        with gr.Column(min_width=320, scale=3):
            answer = gr.HTML(parts.lines(_EMPTY), elem_id="video-answer", js_on_load=None)
            screen = gr.HTML(elem_id="player", js_on_load=None)
    lines = gr.Checkbox(label="A line for each class", visible=False, elem_id="lines")
    panels = video_view.build_people()
    table = gr.HTML(elem_id="events", js_on_load=None)
    look = gr.HTML(_NOTHING_YET, visible=False, elem_id="look", js_on_load=None)
    made = gr.HTML(visible="hidden", elem_id="made", js_on_load=None)
    lines.input(
        lambda lines, seen: video_view.people(seen and seen.found, lines=lines),
        [lines, seen],
        panels,
        **parts.QUIET,
    )
    go.click(
        read,
        [film, network, detector, start, end, every, measure],
        [answer, screen, lines, *panels, table, look, seen, go, stop],
        api_name="video",
        api_visibility="undocumented",
        preprocess=False,  # which would take the sound out of an upload, with ffmpeg
        show_progress_on=[answer],
    ).then(js="() => window.mer.film()")
    stop.click(cancel, queue=False, api_visibility="private")
    _build_presses(film, seen, screen, look, made)


def _build_presses(
    film: gr.Video, seen: gr.State, screen: gr.HTML, look: gr.HTML, made: gr.HTML
) -> None:
    """Lay out the hidden buttons that the page's script presses."""
    makers: dict[str, Callable[..., str]] = {name: partial(save, name) for name in _FILES}
    makers["annotated video"] = partial(annotated, film.temp_files)
    for name, make in makers.items():  # of the Export menu
        button = gr.Button(name, visible="hidden", elem_id=_SAVERS[name])
        press = button.click(make, seen, made, api_visibility="private")
        parts.hand_over(press, "save()", made)
    number = gr.Number(visible=False, precision=0, label="Event")
    # When an event is chosen, in the table or in a chart.
    press = gr.Button(visible="hidden", elem_id="look-closer").click(
        show,
        [number, seen],
        made,
        js="(_, ...rest) => [window.mer.chosen(), ...rest]",
        api_visibility="private",
        trigger_mode="always_last",
        show_progress_on=[look],
    )
    parts.hand_over(press, "look()", made)
    gr.Button(visible="hidden", elem_id="copier").click(
        partial(copy, film.temp_files), seen, screen, api_visibility="private"
    ).then(js="() => window.mer.film()")


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
    """Analyse a video, given as Gradio gives a file, and yield what `_page` says of it."""
    if not film:
        yield _page(problems=[_MISSING])
        return
    path, session = str(film["path"]), str(request.session_hash)
    stop = _stops[session] = threading.Event()
    yield [*_page()[:-2], gr.Button(interactive=False), gr.Button(visible=True)]
    try:
        header.check(network, detector)
        found = analysis.analyse(
            path,
            model=network,
            detector=detector,
            progress=partial(_tell, path, progress),
            cancelled=stop.is_set,
            longest_s=60 * MAX_MINUTES,
            start_s=start or 0.0,
            end_s=end or math.inf,
            every=int(every or 1),
            measure=measure,
        )
        nobody = [] if found.people else [_NO_FACE.format(found, found.timing.duration_ms / 1000)]
        yield _page(Seen(path, found), problems=nobody)
    except MerError as error:
        yield _page(problems=[str(error) if Path(path).exists() else _GONE])
    finally:
        _stops.pop(session, None)


def _page(seen: Seen | None = None, problems: Sequence[str] = ()) -> list[Any]:
    """Updates of the answer, the player, lines or areas, the people, the events and what else."""
    found = seen.found if seen else None
    export = "".join(
        f'<button type="button" class="save" data-press="#{place}">Download {name}</button>'
        for name, place in _SAVERS.items()
    )
    export = f'<details class="export"><summary>Export</summary>{export}</details>'
    said = [*video_view.summary(found), *found.notes] if found else []
    return [
        parts.lines(*said, problems=problems),
        video_view.player(seen.path, seen.found) if seen else "",
        gr.Checkbox(False, visible=bool(found and found.people)),
        *video_view.people(found),
        video_view.events(found.events) + export if found and found.people else "",
        gr.HTML(_NOTHING_YET, visible=found is not None),
        seen,
        gr.Button(interactive=True),
        gr.Button(visible=False),
    ]


def cancel(request: gr.Request) -> None:
    """Stop the analysis that this visitor started; what was read until then is shown."""
    if stop := _stops.get(str(request.session_hash)):
        stop.set()


def copy(temporary: set[str], seen: Seen | None) -> str:
    """The player again, of a copy that every browser plays; it is deleted as uploads are."""
    path, found = _known(seen)
    copied = video_view.copy(path, found.timing.fps)
    temporary.add(str(copied))
    return video_view.player(copied, found, "copy")


def annotated(temporary: set[str], seen: Seen | None, progress: gr.Progress = gr.Progress()) -> str:
    """A link to the annotated video, which is deleted as uploads are, for the page's script."""
    path, found = _known(seen)
    target = Path(path).with_name("annotated.webm")
    drawing.annotate_video(target, path, found, partial(_tell, path, progress))
    temporary.add(str(target))
    name = parts.file_name("annotated", [found.source])
    return parts.link(f"{name}.webm", "Download", f"gradio_api/file={quote(str(target))}")


def save(name: str, seen: Seen | None) -> str:
    """A link that holds one of _FILES, for the page's script to follow."""
    path, found = _known(seen)
    kind, ending, written = _FILES[name]
    text = written(found, path) if name == "report" else written(found)  # it shows pictures
    return parts.links(parts.file_name(kind, [found.source]), {ending: text})


def show(number: int, seen: Seen | None) -> str:
    """The event of this number (from 0) closely, as HTML."""
    try:
        path, found = _known(seen)
        if not 0 <= number < len(found.events):
            raise MerError(_UNKNOWN)
        if not Path(path).exists():
            raise MerError(_GONE)
        event = found.events[number]
        return video_view.closely(number + 1, event, analysis.look(path, found, event))
    except MerError as error:
        return parts.lines(problems=[str(error)])


def _known(seen: Seen | None) -> Seen:
    """What is known of a video that is in use; MerError where it is not known any more."""
    if seen is None:
        raise MerError(_UNKNOWN)
    renew(seen.path)
    return seen


def _tell(path: str, progress: gr.Progress, part: float, sentence: str) -> None:
    """Tell the visitor how far the work is; meanwhile the video at this path is in use."""
    renew(path)
    progress(part, desc=sentence)


def renew(path: str) -> None:
    """Start the minutes anew after which the page deletes this file: it is in use."""
    with contextlib.suppress(FileNotFoundError):
        os.utime(path)
