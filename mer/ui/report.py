"""The Report tab: how far each class of a network can be trusted, beside the paper's network."""

import json
from collections.abc import Mapping
from typing import Any, Final

import gradio as gr

from mer.evaluation import robustness
from mer.evaluation.robustness import SWEEPS
from mer.io import files
from mer.models.registry import DEFAULT_MODEL
from mer.results import charts, comparison, html_document, paper
from mer.results.wording import percent
from mer.ui import downloads, notes
from mer.ui.comparison import elsewhere, plot

_NAMES: Final = {
    "all": "All, as in the paper",
    "clean": "Clean: no near-duplicates",
    "everyday": "Everyday faces (FER+)",
    "kdef": "Elsewhere: KDEF",
    "cfee": "Elsewhere: CFEE",
    "lfw": "Elsewhere: Labeled Faces in the Wild",
    "london": "Elsewhere: Face Research Lab London",
}
_SURER: Final = 0.7  # share of the faces whose accuracy the text names
_EXPLAIN: Final = (
    "*Precision*: of the pictures called so, the share that are. *Recall*: of the pictures that "
    "are, the share called so. *F1* joins the two. In a cell of a matrix: pictures, and their "
    "share of the true class, which colours it."
)
_WORSE: Final = (
    "## On worse pictures\n**{sentence}**\n\nFaces found: of {faces} boxed faces in group "
    "photographs, each changed as a whole. Accuracy: on {pictures} held-out pictures, changed and "
    "given as the crop. Thin bars are 95 % intervals. Heads are turned to the side by the mesh of "
    "their own points: what was hidden is not shown."
)
_NOT_MEASURED: Final = (
    "## On worse pictures\nThe networks in use were not measured on them yet: "
    "`python -m benchmarks robustness --faces DIR --data DIR --save`."
)


def build() -> None:
    """Lay out the tab inside the current `gr.Tab`."""
    records, problems = comparison.read_records()
    if problems:
        gr.HTML(notes.lines([], problems=problems))
    if not records:
        gr.Markdown(
            "### No network has a record yet\nThe Comparison tab says how to bring them back."
        )
        return
    first = DEFAULT_MODEL if DEFAULT_MODEL in records else next(iter(records))
    with gr.Row():
        network = gr.Radio(list(records), value=first, label="Network", min_width=320)
        kinds = dict.fromkeys(kind for one in records.values() for kind in comparison.tests(one))
        kinds.pop("ferplus", None)  # the everyday faces once more, with their near-duplicates
        named = [(_NAMES.get(kind, f"Elsewhere: {kind}"), kind) for kind in kinds]
        protocol = gr.Dropdown(named, value="all", label="Test pictures", min_width=320)
    gr.Markdown(_EXPLAIN)
    head, table, matrix, pairs, links, trust, bars, line = _shown(records[first], "all")
    with gr.Row():
        with gr.Column(min_width=320):
            ours = [*_panel(head, table, matrix, pairs), gr.HTML(links)]
        with gr.Column(min_width=320):
            theirs = paper.scores()
            title = f"The paper's {paper.TABLE_1[0].network}, all {theirs['n']} pictures"
            _panel(*_contents(title, theirs))
            gr.Markdown("Computed from the matrix in Figure 6 of the paper.")
    parts = [*ours, gr.Markdown(trust), *_beside(bars, line)]
    elsewhere(records)
    _worse_pictures(network, first)
    gr.on(
        [network.change, protocol.change],
        lambda name, kind: _shown(records[name], kind),
        [network, protocol],
        parts,
        api_visibility="private",
        show_progress="hidden",
    )


def _shown(record: Mapping[str, Any], kind: str) -> list[Any]:
    """All that depends on the choice; on all pictures where the network has none of this kind."""
    tests = comparison.tests(record)
    kind = kind if kind in tests else "all"
    scores = tests[kind]
    title = f"{record['model']}, {kind} {scores['n']} pictures"
    return [*_contents(title, scores), _links(record, kind, scores), *_trust(scores)]


def _panel(head: str, table: str, matrix: Any, pairs: str) -> list[gr.components.Component]:
    """One network from top to bottom, from its `_contents`."""
    shown = gr.HTML(table, elem_classes="tables", js_on_load=None)
    return [gr.Markdown(head), shown, plot(matrix), gr.Markdown(pairs)]


def _contents(title: str, scores: comparison.Scores) -> list[Any]:
    confused = comparison.confused(scores) or ["none: every picture was named as labelled"]
    lines = "\n".join(f"- {line}" for line in confused)
    return [
        f"### {title}\nAccuracy {comparison.accuracy(scores)}, unweighted average recall "
        f"{scores['uar']:.3f}, macro F1 {scores['macro_f1']:.3f}.",
        html_document.table(comparison.rows_for_screen(comparison.report(scores)), title),
        charts.confusion(scores["confusion"], list(scores["per_class"])),
        f"**Top confusions**\n{lines}",
    ]


def _beside(*figures: Any) -> list[gr.components.Component]:
    plots: list[gr.components.Component] = []
    with gr.Row():
        for figure in figures:
            with gr.Column(min_width=320):
                plots.append(plot(figure))
    return plots


def _trust(scores: comparison.Scores) -> list[Any]:
    """How far the probabilities can be trusted: a text and two charts."""
    confidence = scores.get("confidence")
    if not confidence:
        return ["", None, None]
    sure, best = confidence["sure"], confidence["coverage"]
    surest = next(one for one in best if one["coverage"] >= _SURER)
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


def _links(record: Mapping[str, Any], kind: str, scores: comparison.Scores) -> str:
    about = {
        "network": record["model"],
        "version": record.get("version"),
        "weights_sha256": record["file"].get("sha256"),
        "protocol": kind,
    }
    # The scores of all pictures carry the clean ones inside: each file holds just its own.
    own = {key: value for key, value in scores.items() if key != "clean"}
    held = {
        "csv": files.csv_text(comparison.report(scores)),
        "json": json.dumps(about | own, indent=1),
    }
    return downloads.links(f"report-{record['model']}-{kind}", held)


def _worse_pictures(network: gr.Radio, first: str) -> None:
    """Small, leaning, blurred, dark, covered faces; `network` chooses whose line stands out."""
    result = robustness.read()
    if not result or first not in result["networks"]:
        gr.Markdown(_NOT_MEASURED)
        return

    def show(chosen: str, name: str) -> list[Any]:
        if chosen not in result["networks"]:
            return [gr.skip()] * 3
        counts = {key: result[key] for key in ("faces", "pictures")}
        return [
            _WORSE.format(sentence=robustness.sentence(result, chosen), **counts),
            charts.found(result, name),
            charts.right(result, name, chosen),
        ]

    said, *figures = show(first, "height")
    text = gr.Markdown(said)
    titles = [(sweep.title, name) for name, sweep in SWEEPS.items()]
    change = gr.Radio(titles, value="height", label="What changes")
    gr.on(
        [network.change, change.change],
        show,
        [network, change],
        [text, *_beside(*figures)],
        api_visibility="private",
        show_progress="hidden",
    )
