"""The Comparison tab: the networks side by side, from their records."""

from collections.abc import Mapping
from html import escape
from typing import Any, Final

import gradio as gr

from mer.errors import MerError
from mer.evaluation import seed_study
from mer.evaluation.elsewhere import MEANING
from mer.results import charts, comparison, paper
from mer.ui import tables
from mer.ui.errors import in_words

_EMPTY: Final = (
    "### No network has a record yet\n"
    "Each network in `weights/` comes with a record of how it was trained and what it scored, "
    "`weights/<network>.json`. Restore the folder with `git checkout -- weights`, or train a "
    "network (`python -m mer train --model cnn1 --data DIR`), then start the page again."
)


def build() -> None:
    """Lay out the tab inside the current `gr.Tab`."""
    records, problems = comparison.read_records()
    show_problems(problems)
    if not records:
        gr.Markdown(_EMPTY)
        return
    _figures(records)
    _accuracy(records)
    _training(records)


def show_problems(problems: list[str]) -> None:
    """A box that names each record that cannot be shown, and the mend."""
    if problems:
        lines = "".join(f"<li>{escape(problem)}</li>" for problem in problems)
        gr.HTML(
            f'<div class="problems"><p>Not every network can be shown:</p><ul>{lines}</ul></div>'
        )


def _figures(records: Mapping[str, Any]) -> None:
    gr.Markdown(
        "## Our networks\n"
        "*All* test pictures, as in the paper; *clean* are those of them that have no "
        "near-duplicate among the pictures learned from."
    )
    table = tables.show(comparison.table(records), _NAME)
    button = gr.Button("Measure on this machine", elem_id="measure", size="sm")
    button.click(
        lambda progress=gr.Progress(): _measure(records, progress),
        outputs=table,
        api_visibility="private",
        concurrency_limit=1,  # two measurements at a time would slow each other down
    )
    gr.Markdown(" ".join(comparison.verdict(records)) + _METHOD)
    gr.Markdown(comparison.label_noise(records))
    elsewhere(records)
    _seeds()


_NAME: Final = "Our networks, figure by figure"
_METHOD: Final = (
    " (McNemar's exact test on the same pictures, Holm's correction, 5 %.) Each network that ships "
    "was trained once; another seed would move its figures, too."
)


def elsewhere(records: Mapping[str, Any]) -> None:
    """How the networks do on faces from elsewhere, where that was measured."""
    table = comparison.elsewhere(records)
    if len(table):
        gr.Markdown(f"### Faces from elsewhere\n{MEANING}")
        tables.show(table, "Faces from elsewhere, set by set")


def _seeds() -> None:
    """How far a seed moves the figures, where that was measured."""
    result = seed_study.read()
    if result:
        gr.Markdown(f"### What another seed changes\n{seed_study.verdict(result)}")
        tables.show(seed_study.table(result), "Each network by several seeds")


def _measure(records: Mapping[str, Any], progress: gr.Progress) -> str:
    """The table again, with the time that each network takes for a face on this machine."""
    from mer.inference import speed

    measured: dict[str, float] = {}
    with in_words():
        for done, name in enumerate(records):
            progress((done, len(records)), desc=f"Measuring {name}")
            try:
                measured[name] = speed.face_milliseconds(name)
            except MerError as error:  # the other networks can still be measured
                gr.Warning(str(error))
    return tables.html(comparison.table(records, measured), _NAME)


def _accuracy(records: Mapping[str, Any]) -> None:
    printed = {row.ours: row.test / 100 for row in paper.TABLE_1}
    with gr.Row():
        with gr.Column(min_width=320, scale=3):
            gr.Markdown("### Test accuracy, with 95 % intervals")
            gr.Plot(charts.accuracy(records, printed), show_label=False, container=False)
        with gr.Column(min_width=320, scale=2):
            gr.Markdown("### The paper's Table 1: accuracy, and order of finishing")
            tables.show(comparison.paper_table(), "The paper's Table 1")
            gr.Markdown(_paper_note())


def _paper_note() -> str:
    scores = comparison.paper_scores()
    first = paper.TABLE_1[0]
    return (
        f"As printed in {paper.SOURCE}. Its {first.test:.2f} % for {first.network} is a mean over "
        f"batches, the last of them smaller; over the {scores['n']} pictures its own matrix "
        f"(Figure 6) gives {100 * scores['accuracy']:.2f} %."
    )


def _training(records: Mapping[str, Any]) -> None:
    gr.Markdown("### Training: processor time")
    labels = comparison.order_labels(records)
    gr.Plot(charts.training_time(records, labels), show_label=False, container=False)
    gr.Markdown(
        "## Learning curves\n"
        "Training figures are taken on the pictures and their transformed copies while the network "
        "still changes; validation figures on photographs kept out of training, twins together."
    )
    with gr.Row():
        for name, record in records.items():
            with gr.Column(min_width=320):
                gr.Markdown(f"### {name}\n{comparison.stages(record)}")
                gr.Plot(charts.curves(record), show_label=False, container=False)
