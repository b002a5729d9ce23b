"""The model card of a network: what it is, what it scored on both protocols, what it is not for.

Its figures come from the network's record.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from mer.errors import WeightsError
from mer.evaluation.elsewhere import MEANING
from mer.models.registry import NETWORKS
from mer.results import comparison, markdown, terms
from mer.results.report import LIMITS
from mer.results.wording import percent
from mer.weights import store

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

METRICS: Final = {  # the Hub's name of each of a record's figures, and ours in words
    "accuracy": ("accuracy", "Accuracy"),
    "macro_f1": ("f1", "Macro F1"),
    "uar": ("recall", "Unweighted average recall"),
}


def text(name: str) -> str:
    """The card as Markdown, with the front matter that the Hub reads.

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
    return f"---\n{data.to_yaml()}\n---\n\n" + "\n\n".join(_sections(name, record)) + "\n"


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
    return str(stages[-1]["data"][-1]["name"])


def _sections(name: str, record: Mapping[str, Any]) -> Iterator[str]:
    classes = store.classes(record)
    built = NETWORKS[record.get("architecture", name)].description
    yield f"# {name}"
    yield (
        f"Says which of {len(classes)} classes a face looks like: {', '.join(classes)}. It is "
        f"{built}; its input is a face crop of {record['size']} x {record['size']} pixels."
    )
    yield "## Use"
    yield _use(name)
    yield "## How well it does"
    yield (
        "*All* are all test pictures; *clean* are those without a twin, the same photograph, among "
        "the pictures learned from. Look at both."
    )
    yield markdown.frame(comparison.alone(name, record))
    for protocol, scores in comparison.protocols(record).items():
        yield f"### Class by class, {protocol} pictures"
        yield markdown.frame(comparison.rows_for_screen(comparison.report(scores)))
        yield "Likeliest mistakes: " + " ".join(comparison.confused(scores, 3))
    table = comparison.elsewhere({name: record})
    if len(table):
        yield f"### Faces from elsewhere\n\n{MEANING}"
        yield markdown.frame(table)
    yield comparison.label_noise({name: record}) or "How far the labels are right is unknown."
    yield "## How it was trained"
    yield "\n".join(f"{n}. {_stage(one)}" for n, one in enumerate(record["training"]["stages"], 1))
    yield f"{_calibrated(record)} {comparison.test_reads({name: record})}".rstrip()
    yield "It learned from:\n\n" + "\n".join(f"- {one}" for one in terms.learned(record))
    if record.get("choices"):
        yield "What was chosen, and on what:\n\n" + "\n".join(
            f"- {one}" for one in record["choices"]
        )
    yield "## Limits, and what it must not be used for"
    yield "\n".join(f"- {limit}" for limit in LIMITS)
    yield "## Licence"
    yield _licence(record)


def _use(name: str) -> str:
    return (
        "```sh\n"
        f"MER_HUB=OWNER/NAME@REVISION python -m mer predict photo.jpg --model {name}\n"
        "```\n\n"
        "with the program's source at hand, whose own weights are used where the Hub cannot be "
        "reached. `REVISION` is all 40 digits of a commit of this repository; without it nothing "
        "is fetched. The weights are half-precision safetensors; the record beside them, a JSON, "
        "holds their checksum and every figure here."
    )


def _stage(stage: Mapping[str, Any]) -> str:
    settings = stage["settings"]
    learned, held = (
        sum(sum(d[p].values()) for d in stage["data"]) for p in ("train", "validation")
    )
    taught = ", ".join(one["name"] for one in stage.get("teachers") or ())
    return (
        f"{stage['name']}: {learned} pictures, {held} held out for validation; "
        f"{len(stage['history'])} epochs, of which number {stage['best_epoch']} was kept; "
        f"batches of {settings['batch']}, learning rate {settings['learning_rate']:g}, "
        f"transformed copies of each: {settings['copies']}, seed {stage['seed']}"
        + (f"; taught by {taught}" if taught else "")
        + f"; {stage['device']}, {comparison.duration(stage['cpu_seconds'])} of processor time."
    )


def _calibrated(record: Mapping[str, Any]) -> str:
    fitted = record.get("calibration")
    if not fitted:
        return "Its probabilities were not calibrated."
    sure = percent(fitted["threshold"])
    return (
        f"Temperature {fitted['temperature']:.3f} and the threshold of {sure} from which it calls "
        f"itself sure were fitted on {fitted['n']} validation pictures."
    )


def _licence(record: Mapping[str, Any]) -> str:
    origin = record.get("origin")
    began = (
        f" It began as {origin['name']} ({origin['source']}, {origin['licence']})."
        if origin
        else ""
    )
    return (
        "The program is MIT. The pictures that the network learned from belong to others and are "
        "not included; most are given for research only, so use the weights for research only."
        + began
    )
