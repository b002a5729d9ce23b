"""The Comparison tab: the networks side by side, from their records."""

from collections.abc import Mapping
from typing import Any, Final

import gradio as gr
import pandas as pd

from mer.errors import MerError
from mer.evaluation.elsewhere import MEANING
from mer.io import files
from mer.results import charts, comparison, html_document, paper
from mer.ui import downloads, notes

_EMPTY: Final = (
    "### No network has a record yet\n"
    "Each network in `weights/` comes with a record of how it was trained and what it scored, "
    "`weights/<network>.json`. Restore the folder with `git checkout -- weights`, or train a "
    "network (`python -m mer train --model cnn1 --data DIR`), then start the page again."
)


def build() -> None:
    """Lay out the tab inside the current `gr.Tab`."""
    records, problems = comparison.read_records()
    if problems:
        gr.HTML(notes.lines([], problems=problems))
    if not records:
        gr.Markdown(_EMPTY)
        return
    gr.Markdown("## Our networks")
    board = gr.HTML(_board(records), elem_id="leaderboard", js_on_load=None)
    gr.Button("Measure on this machine", elem_id="measure-speed", size="sm").click(
        lambda progress=gr.Progress(): _measure(records, progress),
        outputs=board,
        api_visibility="private",
        concurrency_limit=1,  # two measurements at a time would slow each other down
    )
    with gr.Accordion("Every figure, with 95 % intervals", open=False):
        _table(comparison.table(records), "Our networks, figure by figure")
        gr.Markdown(comparison.label_noise(records))
    elsewhere(records)
    _training(records)
    with gr.Accordion("The paper's Table 1", open=False):
        _table(paper.table(), "The paper's Table 1")
        gr.Markdown(_paper_note())


def _board(records: Mapping[str, Any], milliseconds: Mapping[str, float] | None = None) -> str:
    """The leaderboard as HTML, with its figures as a CSV file."""
    rows = comparison.leaderboard(records, milliseconds)
    shown = html_document.render(
        "leaderboard.html",
        columns=comparison.shown_columns(rows),
        rows=rows,
        best=comparison.best(rows),
        text=comparison.cell,
        purpose=comparison.purpose,
        counts=_counts(records),
        matrices=[(kind, comparison.significance(records, kind)) for kind in comparison.KINDS],
    )
    csv = files.csv_text(pd.DataFrame(rows))
    return shown + downloads.links(downloads.name("networks", list(records)), {"csv": csv})


def _counts(records: Mapping[str, Any]) -> dict[str, int]:
    """How many pictures or sets each accuracy of the leaderboard comes from; 0 where unknown."""
    known = [comparison.tests(record) for record in records.values()]
    kinds = ("all", "clean", "everyday")
    counts = {kind: max(one[kind]["n"] if kind in one else 0 for one in known) for kind in kinds}
    return counts | {"elsewhere": max(len(one.keys() - set(kinds)) for one in known)}


def elsewhere(records: Mapping[str, Any]) -> None:
    """How the networks do on faces from elsewhere, where that was measured."""
    table = comparison.elsewhere(records)
    if len(table):
        with gr.Accordion("Faces from elsewhere, set by set", open=False):
            gr.Markdown(MEANING)
            _table(table, "Faces from elsewhere, set by set")


def _measure(records: Mapping[str, Any], progress: gr.Progress) -> str:
    """The table again, with the time that each network takes for a face on this machine."""
    from mer.inference import speed

    measured: dict[str, float] = {}
    for done, name in enumerate(records):
        progress((done, len(records)), desc=f"Measuring {name}")
        try:
            measured[name] = speed.face_milliseconds(name)
        except MerError as error:  # the other networks can still be measured
            gr.Warning(str(error))
    return _board(records, measured)


def _paper_note() -> str:
    scores = paper.scores()
    first = paper.TABLE_1[0]
    return (
        f"As printed in {paper.SOURCE}. Its {first.test:.2f} % for {first.network} is a mean over "
        f"batches, the last of them smaller; over the {scores['n']} pictures its own matrix "
        f"(Figure 6) gives {100 * scores['accuracy']:.2f} %."
    )


def _training(records: Mapping[str, Any]) -> None:
    with gr.Accordion("Training: time and learning curves", open=False), gr.Row():
        for name, record in records.items():
            with gr.Column(min_width=320):
                gr.Markdown(f"### {name}\n{comparison.stages(record)}")
                plot(charts.curves(record))


def plot(figure: Any) -> gr.Plot:
    """A figure on the page, without a frame of its own."""
    return gr.Plot(figure, show_label=False, container=False)


def _table(frame: pd.DataFrame, name: str) -> None:
    gr.HTML(html_document.table(frame, name), elem_classes="tables", js_on_load=None)
