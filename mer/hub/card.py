"""The model card of a network: what it is, what it scored on both protocols, what it is not for.

Its figures come from the network's record.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from mer.errors import WeightsError
from mer.evaluation.elsewhere import MEANING
from mer.inference.probabilities import thresholds
from mer.models.registry import NETWORKS
from mer.results import comparison, html_document, markdown, methods, wording
from mer.results.report import LIMITS
from mer.weights import store

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

METRICS: Final = {  # for each figure of a record: the Hub's name, and a title
    "accuracy": ("accuracy", "Accuracy"),
    "macro_f1": ("f1", "Macro F1"),
    "uar": ("recall", "Unweighted average recall"),
}


def text(name: str) -> str:
    """Return the card as Markdown, with the front matter that the Hub reads.

    Raises:
        WeightsError: the network's record is missing, damaged or without figures.
    """
    from huggingface_hub import ModelCardData

    records, problems = comparison.read_records()
    if name not in records:
        told = [problem for problem in problems if f"{name}.json" in problem]
        raise WeightsError(" ".join(told) or f"There is no network called {name!r}.")
    record = records[name]
    data = ModelCardData(
        license="mit",
        library_name="mer",
        pipeline_tag="image-classification",
        tags=["facial-expression-recognition", "image-classification", *store.classes(record)],
        metrics=[hub for hub, _ in METRICS.values()],
        model_name=name,
        eval_results=list(_results(record)),
    )
    body = html_document.render(
        "model_card.md",
        name=name,
        record=record,
        classes=store.classes(record),
        description=NETWORKS[record.get("architecture", name)].description,
        table=markdown.frame,
        figures=comparison.alone(name, record),
        protocols=comparison.protocols(record),
        by_class=lambda scores: comparison.rows_for_screen(comparison.report(scores)),
        mistakes=comparison.confused,
        elsewhere=comparison.elsewhere({name: record}),
        elsewhere_means=MEANING,
        label_noise=comparison.label_noise({name: record}),
        pictures=_pictures,
        duration=comparison.duration,
        test_reads=comparison.test_reads({name: record}),
        learned=methods.sources(record),
        sure_from=wording.limits(thresholds(record)["views"]),
        limits=LIMITS,
    )
    return f"---\n{data.to_yaml()}\n---\n\n{body}"


def _results(record: Mapping[str, Any]) -> Iterator["EvalResult"]:
    from huggingface_hub import EvalResult

    data = _tested_on(record)
    for protocol, scores in comparison.protocols(record).items():
        kind = protocol.split()[0]
        for key, (hub, words) in METRICS.items():
            yield EvalResult(
                task_type="image-classification",
                task_name="Facial expression recognition",
                dataset_type=data,
                dataset_name=f"{data}, {protocol} test pictures",
                dataset_config=kind,
                dataset_split="test",
                metric_type=hub,
                metric_value=round(scores[key], 4),
                metric_name=f"{words}, {kind} pictures",
            )


def _tested_on(record: Mapping[str, Any]) -> str:
    stages: Sequence[Mapping[str, Any]] = record["training"]["stages"]
    return str([data["name"] for data in stages[-1]["data"] if not data.get("cut")][-1])


def _pictures(stage: Mapping[str, Any], part: str) -> int:
    return sum(sum(data[part].values()) for data in stage["data"])
