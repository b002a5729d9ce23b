"""The tabs that show what is recorded of the networks: Comparison, Report and About."""

import contextlib
import json
import os
from collections.abc import Mapping
from functools import partial
from html import escape
from importlib.metadata import PackageNotFoundError, version
from platform import python_version
from typing import Any, Final

import gradio as gr
import pandas as pd

from mer import hub
from mer.errors import MerError
from mer.evaluation import robustness
from mer.evaluation.datasets import MEANING
from mer.io.files import csv_text
from mer.models.registry import NETWORKS
from mer.results import charts, comparison, documents, methods, paper
from mer.results.wording import percent
from mer.ui import header, parts, visitor_files
from mer.version import __version__

_NO_RECORD: Final = (
    "Each network in `weights/` comes with a record of how it was trained and what it scored, "
    "`weights/<network>.json`. Restore the folder with `git checkout -- weights`, or train a "
    "network (`python -m mer train --model cnn1 --data DIR`), then start the page again."
)
_PAPER: Final = (
    f"As printed in {paper.SOURCE}. Its {{0.test:.2f}} % for {{0.network}} is a mean over batches, "
    "the last of them smaller; over the {1[n]} pictures its own matrix (Figure 6) gives "
    "{2:.2f} %."
)
_NAMES: Final = {
    "all": "All, as in the paper",
    "clean": "Clean: no near-duplicates",
    "everyday": "Everyday faces (FER+)",
    "kdef": "Elsewhere: KDEF",
    "cfee": "Elsewhere: CFEE",
    "lfw": "Elsewhere: Labeled Faces in the Wild",
    "london": "Elsewhere: Face Research Lab London",
}
_EXPLAIN: Final = (
    "*Precision*: of the pictures called so, the share that are. *Recall*: of the pictures that "
    "are, the share called so. *F1* joins the two. In a cell of a matrix: pictures, and their "
    "share of the true class, which colours it."
)
_SURER: Final = 0.7  # share of the faces whose accuracy the text names
_WORSE: Final = (
    "## On worse pictures\n**{}**\n\nFaces found: of {faces} boxed faces in group "
    "photographs, each changed as a whole. Accuracy: on {pictures} held-out pictures, changed and "
    "given as the crop. Thin bars are 95 % intervals. Heads are turned to the side by the mesh of "
    "their own points: what was hidden is not shown."
)
_NOT_MEASURED: Final = (
    "## On worse pictures\nThe networks in use were not measured on them yet: "
    "`python -m benchmarks robustness --faces DIR --data DIR --save`."
)
_BARE: Final[dict[str, Any]] = {"show_label": False, "container": False}  # of a chart
_LIBRARIES: Final = ("torch", "torchvision", "opencv-python-headless", "gradio", "plotly")


def build_comparison() -> None:
    """Lay out the Comparison tab: the networks side by side."""
    records = _read(_NO_RECORD)
    if not records:
        return
    gr.Markdown("## Our networks")
    board = gr.HTML(_board(records), elem_id="leaderboard", js_on_load=None)
    gr.Button("Measure on this machine", elem_id="measure-speed", size="sm").click(
        partial(_measured, records),
        outputs=board,
        api_visibility="private",
        concurrency_limit=1,  # two measurements at a time would slow each other down
    )
    with gr.Accordion("Every figure, with 95 % intervals", open=False):
        _table(comparison.table(records), "Our networks, figure by figure")
        gr.Markdown(comparison.label_noise(records))
    _elsewhere(records)
    with gr.Accordion("Training: time and learning curves", open=False), gr.Row():
        for name, record in records.items():
            with gr.Column(min_width=320):
                gr.Markdown(f"### {name}\n{comparison.stages(record)}")
                gr.Plot(charts.curves(record), **_BARE)
    with gr.Accordion("The paper's Table 1", open=False):
        _table(paper.table(), "The paper's Table 1")
        scores = paper.scores()
        gr.Markdown(_PAPER.format(paper.TABLE_1[0], scores, 100 * scores["accuracy"]))


def _read(advice: str) -> dict[str, Any]:
    """The records, with a sentence for each that cannot be shown, and advice if none can."""
    records, problems = comparison.read_records()
    if problems:
        gr.HTML(parts.lines(problems=problems))
    if not records:
        gr.Markdown(f"### No network has a record yet\n{advice}")
    return dict(records)


def _board(records: Mapping[str, Any], milliseconds: Mapping[str, float] | None = None) -> str:
    """The leaderboard as HTML, with its figures as a CSV file."""
    rows = comparison.leaderboard(records, milliseconds)
    known = [comparison.tests(record) for record in records.values()]
    kinds = ("all", "clean", "everyday")
    counts = {kind: max(one.get(kind, {"n": 0})["n"] for one in known) for kind in kinds}
    shown = documents.render(
        "leaderboard.html",
        columns=comparison.shown_columns(rows),
        rows=rows,
        best=comparison.best(rows),
        text=comparison.cell,
        purpose=comparison.purpose,
        counts=counts,
        away=comparison.left_out(records)[0],
        matrices=[(kind, comparison.significance(records, kind)) for kind in comparison.KINDS],
    )
    csv = csv_text(pd.DataFrame(rows))
    return shown + parts.links(parts.file_name("networks", list(records)), {"csv": csv})


def _measured(records: Mapping[str, Any], progress: gr.Progress = gr.Progress()) -> str:
    """The table again, with the time that each network takes for a face on this machine."""
    from mer.inference import speed

    milliseconds: dict[str, float] = {}
    for done, name in enumerate(records):
        progress((done, len(records)), desc=f"Measuring {name}")
        try:
            milliseconds[name] = speed.face_milliseconds(name)
        except MerError as error:  # the other networks can still be measured
            gr.Warning(str(error))
    return _board(records, milliseconds)


def _elsewhere(records: Mapping[str, Any]) -> None:
    """How the networks do on faces from elsewhere, where that was measured."""
    table = comparison.elsewhere(records)
    if len(table):
        with gr.Accordion("Faces from elsewhere, set by set", open=False):
            gr.Markdown(MEANING)
            _table(table, "Faces from elsewhere, set by set")


def _table(frame: pd.DataFrame, name: str) -> None:
    gr.HTML(documents.table(frame, name), elem_classes="tables", js_on_load=None)


def build_report() -> None:
    """Lay out the Report tab: how far each class can be trusted, beside the paper's network."""
    records = _read("The Comparison tab says how to bring them back.")
    if not records:
        return
    first = header.first(list(records))
    kinds = dict.fromkeys(kind for one in records.values() for kind in comparison.tests(one))
    kinds.pop("ferplus", None)  # the everyday faces once more, with their near-duplicates
    named = [(_NAMES.get(kind, f"Elsewhere: {kind}"), kind) for kind in kinds]
    with gr.Row():
        network = gr.Radio(list(records), value=first, label="Network", min_width=320)
        protocol = gr.Dropdown(named, value="all", label="Test pictures", min_width=320)
    gr.Markdown(_EXPLAIN)
    *contents, links, trust, bars, line = _shown(records[first], "all")
    theirs = paper.scores()
    title = f"The paper's {paper.TABLE_1[0].network}, all {theirs['n']} pictures"
    with gr.Row():
        with gr.Column(min_width=320):
            ours = [*_panel(*contents), gr.HTML(links)]
        with gr.Column(min_width=320):
            _panel(*_contents(title, theirs))
            gr.Markdown("Computed from the matrix in Figure 6 of the paper.")
    ours += [gr.Markdown(trust), *_beside(bars, line)]
    _elsewhere(records)
    _worse_pictures(network, first)
    gr.on(
        [network.change, protocol.change],
        lambda name, kind: _shown(records[name], kind),
        [network, protocol],
        ours,
        **parts.QUIET,
    )


def _panel(head: str, table: str, matrix: Any, pairs: str) -> list[gr.components.Component]:
    """One network from top to bottom, from its `_contents`."""
    shown = gr.HTML(table, elem_classes="tables", js_on_load=None)
    return [gr.Markdown(head), shown, gr.Plot(matrix, **_BARE), gr.Markdown(pairs)]


def _beside(*figures: Any) -> list[gr.components.Component]:
    plots: list[gr.components.Component] = []
    with gr.Row():
        for figure in figures:
            with gr.Column(min_width=320):
                plots.append(gr.Plot(figure, **_BARE))
    return plots


def _shown(record: Mapping[str, Any], kind: str) -> list[Any]:
    """All that depends on the choice; on all pictures where the network has none of this kind."""
    tests = comparison.tests(record)
    kind = kind if kind in tests else "all"
    scores = tests[kind]
    name, version, sha = record["model"], record.get("version"), record["file"].get("sha256")
    about = {"network": name, "version": version, "weights_sha256": sha, "protocol": kind}
    # The scores of all pictures carry the clean ones inside: each file holds just its own.
    own = {key: value for key, value in scores.items() if key != "clean"}
    csv = csv_text(comparison.report(scores))
    files = {"csv": csv, "json": json.dumps(about | own, indent=1)}
    return [
        *_contents(f"{name}, {kind} {scores['n']} pictures", scores),
        parts.links(f"report-{name}-{kind}", files),
        *_trust(scores),
    ]


def _contents(title: str, scores: comparison.Scores) -> list[Any]:
    confused = comparison.confused(scores) or ["none: every picture was named as labelled"]
    lines = "\n".join(f"- {line}" for line in confused)
    return [
        f"### {title}\nAccuracy {comparison.accuracy(scores)}, unweighted average recall "
        f"{scores['uar']:.3f}, macro F1 {scores['macro_f1']:.3f}.",
        documents.table(comparison.rows_for_screen(comparison.report(scores)), title),
        charts.confusion(scores["confusion"], list(scores["per_class"])),
        f"**Top confusions**\n{lines}",
    ]


def _trust(scores: comparison.Scores) -> list[Any]:
    """How far the probabilities can be trusted: a text and two charts."""
    confidence = scores.get("confidence")
    if not confidence:
        return ["", None, None]
    sure = confidence["sure"]
    surest = next(one for one in confidence["coverage"] if one["coverage"] >= _SURER)
    return [
        "### How far its probabilities can be trusted\n"
        f"Expected calibration error {confidence['ece']:.3f}: by so much the probabilities are off "
        f"on average. The network is sure about {percent(sure['coverage'])} of these faces"
        + (f", and right on {percent(sure['accuracy'], 1)} of them. " if sure["accuracy"] else ". ")
        + f"Of the surest {percent(surest['coverage'])}, {percent(surest['accuracy'], 1)} are "
        "right. Temperature and thresholds were fitted on other pictures.",
        charts.reliability(confidence),
        charts.coverage(confidence),
    ]


def _worse_pictures(network: gr.Radio, first: str) -> None:
    """Small, leaning, blurred, dark, covered faces; `network` chooses whose line stands out."""
    result = robustness.read()
    if not result or first not in result["networks"]:
        gr.Markdown(_NOT_MEASURED)
        return

    def show(chosen: str, name: str) -> list[Any]:
        if chosen not in result["networks"]:
            return [gr.skip()] * 3
        text = _WORSE.format(robustness.sentence(result, chosen), **result)
        return [text, charts.found(result, name), charts.right(result, name, chosen)]

    said, *figures = show(first, "height")
    text = gr.Markdown(said)
    titles = [(sweep.title, name) for name, sweep in robustness.SWEEPS.items()]
    change = gr.Radio(titles, value="height", label="What changes")
    outputs = [text, *_beside(*figures)]
    gr.on([network.change, change.change], show, [network, change], outputs, **parts.QUIET)


def build_about() -> None:
    """Lay out the About tab: what happens to a picture, what was learned from, what is barred."""
    records, _ = comparison.read_records()
    tests = [record["evaluation"]["test"] for record in records.values()]
    test = next((one for one in tests if one.get("clean")), None)
    versions = [f"mer {__version__}", f"Python {python_version()}"]
    for library in _LIBRARIES:
        with contextlib.suppress(PackageNotFoundError):
            versions.append(f"{library} {version(library)}")
    sources = documents.render(
        "sources.md",
        paper=paper.SOURCE,
        pictures=test["n"] if test else 0,
        twins=test["n"] - test["clean"]["n"] if test else 0,
        test_reads=comparison.test_reads(records),
        networks=NETWORKS,
        learned=dict.fromkeys(one for r in records.values() for one in methods.sources(r)),
        versions=versions,
    )
    cards = "<h2>Model cards</h2>"
    for name in records:
        with contextlib.suppress(LookupError, TypeError):  # a record may say too little for a card
            cards += parts.links(f"model-card-{name}", {"md": hub.card(name)}, name)
    if space := os.environ.get("SPACE_ID"):
        address = f"https://huggingface.co/spaces/{escape(space)}/tree/main"
        cards += f'<p><a href="{address}">Source</a></p>'
    with gr.Row():
        with gr.Column(min_width=320):
            gr.Markdown(documents.render("about.md", kept=visitor_files.table()))
        with gr.Column(min_width=320):
            gr.Markdown(sources)
            gr.HTML(cards, elem_id="cards", js_on_load=None)
