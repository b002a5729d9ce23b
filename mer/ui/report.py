"""The Report tab: how far each class of a network can be trusted, beside the paper's network."""

import json
from collections.abc import Mapping
from typing import Any, Final

import gradio as gr

from mer.io import csv_files
from mer.results import charts, comparison, paper
from mer.results.wording import percent
from mer.ui import downloads, robustness, tables
from mer.ui.comparison import elsewhere, show_problems

_NAMES: Final = {
    "all": "All, as in the paper",
    "clean": "Clean: no near-duplicates",
    "everyday": "Everyday faces (FER+)",
}
_SURER: Final = 0.7  # share of the faces whose accuracy the text names
_EXPLAIN: Final = (
    "*Precision*: of the pictures that the network calls so, the share that are. *Recall*: of the "
    "pictures that are, the share that it calls so. *F1* joins the two."
)


def build() -> None:
    """Lay out the tab inside the current `gr.Tab`."""
    from mer.models.registry import DEFAULT_MODEL

    records, problems = comparison.read_records()
    show_problems(problems)
    if not records:
        gr.Markdown(
            "### No network has a record yet\nThe Comparison tab says how to bring them back."
        )
        return
    first = DEFAULT_MODEL if DEFAULT_MODEL in records else next(iter(records))
    with gr.Row():
        network = gr.Radio(list(records), value=first, label="Network", min_width=320)
        kinds = dict.fromkeys(kind for one in records.values() for kind in _tests(one))
        named = [(_NAMES.get(kind, f"Elsewhere: {kind}"), kind) for kind in kinds]
        protocol = gr.Radio(named, value="all", label="Test pictures", min_width=320)
    gr.Markdown(_EXPLAIN)
    with gr.Row():
        with gr.Column(min_width=320):
            ours = _panel(*_ours(records[first], "all"))
            links = gr.HTML(_links(records[first], "all"))
        with gr.Column(min_width=320):
            theirs = comparison.paper_scores()
            _panel(f"The paper's {paper.TABLE_1[0].network}, all {theirs['n']} pictures", theirs)
            gr.Markdown(f"Computed here from the matrix of Figure 6 in {paper.SOURCE}.")
    trust = _trust_panel(records[first], "all")
    elsewhere(records)
    robustness.build(network, first)

    def show(name: str, kind: str) -> list[Any]:
        record = records[name]
        return [
            *_contents(*_ours(record, kind)),
            _links(record, kind),
            *_trust(_ours(record, kind)[1]),
        ]

    gr.on(
        [network.change, protocol.change],
        show,
        [network, protocol],
        [*ours, links, *trust],
        api_visibility="private",
        show_progress="hidden",
    )


def _tests(record: Mapping[str, Any]) -> dict[str, comparison.Scores]:
    """The scores of a record by kind of test pictures; those from elsewhere by their sets."""
    evaluation = record["evaluation"]
    test, everyday = evaluation["test"], evaluation.get("ferplus") or {}
    scores = {
        "all": test,
        "clean": test.get("clean"),
        "everyday": everyday.get("clean") or everyday,
        **(evaluation.get("elsewhere") or {}).get("sets", {}),
    }
    return {kind: one for kind, one in scores.items() if one}


def _ours(record: Mapping[str, Any], kind: str) -> tuple[str, comparison.Scores]:
    """Title and scores of a network on a kind of pictures; on all where it has none of those."""
    tests = _tests(record)
    kind = kind if kind in tests else "all"
    return f"{record['model']}, {kind} {tests[kind]['n']} pictures", tests[kind]


def _panel(title: str, scores: comparison.Scores) -> list[gr.components.Component]:
    """One network from top to bottom; the components, in the order of `_contents`."""
    head, table, matrix, pairs = _contents(title, scores)
    return [
        gr.Markdown(head),
        gr.HTML(table, css_template=tables.CSS, apply_default_css=False),
        gr.Plot(matrix, show_label=False, container=False),
        gr.Markdown(pairs),
    ]


def _contents(title: str, scores: comparison.Scores) -> list[Any]:
    return [
        f"### {title}\nAccuracy {comparison.accuracy(scores)}, unweighted average recall "
        f"{scores['uar']:.3f}, macro F1 {scores['macro_f1']:.3f}.",
        tables.html(comparison.rows_for_screen(comparison.report(scores)), title),
        charts.confusion(scores["confusion"], list(scores["per_class"])),
        _pairs(scores),
    ]


def _trust_panel(record: Mapping[str, Any], kind: str) -> list[gr.components.Component]:
    """How far the probabilities can be trusted; the components, in the order of `_trust`."""
    text, bars, line = _trust(_ours(record, kind)[1])
    parts: list[gr.components.Component] = [gr.Markdown(text)]
    with gr.Row():
        for plot in (bars, line):
            with gr.Column(min_width=320):
                parts.append(gr.Plot(plot, show_label=False, container=False))
    return parts


def _trust(scores: comparison.Scores) -> list[Any]:
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
        + f"On the surest {percent(surest['coverage'])} it is right in "
        f"{percent(surest['accuracy'], 1)}. Temperature and thresholds were fitted on other "
        "pictures.",
        charts.reliability(confidence),
        charts.coverage(confidence),
    ]


def _pairs(scores: comparison.Scores) -> str:
    lines = comparison.confused(scores) or ["None: every picture was named as labelled."]
    return "\n".join(
        ["In a cell: pictures, and their share of the true class, which colours it.", ""]
        + ["**Top confusions**"]
        + [f"- {line}" for line in lines]
    )


def _links(record: Mapping[str, Any], kind: str) -> str:
    title, scores = _ours(record, kind)
    protocol = title.split(", ")[1].split()[0]
    about = {
        "network": record["model"],
        "version": record.get("version"),
        "weights_sha256": record["file"].get("sha256"),
        "protocol": protocol,
    }
    # The scores of all pictures carry the clean ones inside: each file holds just its own.
    own = {key: value for key, value in scores.items() if key != "clean"}
    files = {
        "csv": csv_files.text(comparison.report(scores)),
        "json": json.dumps(about | own, indent=1),
    }
    return downloads.links(f"report-{record['model']}-{protocol}", files)
