"""The Hugging Face Hub: model cards, and what is pushed: the page as a Space, a network."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mer.errors import MerError, WeightsError
from mer.evaluation.datasets import MEANING
from mer.inference.probabilities import thresholds
from mer.models.registry import NETWORKS
from mer.results import comparison, documents, methods, wording
from mer.results.report import LIMITS
from mer.weights import store

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

ROOT: Final = Path(__file__).resolve().parent.parent
_APP: Final = ("app.py", "requirements.txt", "LICENSE")
_TEXTS: Final = ("README.md", "ARCHITECTURE.md", "CHANGELOG.md", "docs")  # README links to them
_WEIGHTS: Final = (".safetensors", ".json", ".onnx", ".txt")
_HELP: Final = "Log in with `hf auth login`, with a token that may write there, and try again."
_METRICS: Final = {  # for each figure of a record: the Hub's name, and a title
    "accuracy": ("accuracy", "Accuracy"),
    "macro_f1": ("f1", "Macro F1"),
    "uar": ("recall", "Unweighted average recall"),
}


def card(name: str) -> str:
    """A network's model card, Markdown of its record; a WeightsError where figures are missing."""
    from huggingface_hub import ModelCardData

    records, problems = comparison.read_records()
    if name not in records:
        told = " ".join(problem for problem in problems if f"{name}.json" in problem)
        raise WeightsError(told or f"There is no network called {name!r}.")
    record = records[name]
    data = ModelCardData(
        license="mit",
        library_name="mer",
        pipeline_tag="image-classification",
        tags=["facial-expression-recognition", "image-classification", *store.classes(record)],
        metrics=[hub for hub, _ in _METRICS.values()],
        model_name=name,
        eval_results=list(_results(record)),
    )
    body = documents.render(
        "model_card.md",
        name=name,
        record=record,
        classes=store.classes(record),
        description=NETWORKS[record.get("architecture", name)].description,
        table=documents.markdown_frame,
        figures=comparison.table({name: record}, ranked=False),
        protocols=comparison.protocols(record),
        by_class=lambda scores: comparison.rows_for_screen(comparison.report(scores)),
        mistakes=comparison.confused,
        elsewhere=comparison.elsewhere({name: record}),
        elsewhere_means=MEANING,
        label_noise=comparison.label_noise({name: record}),
        pictures=lambda stage, part: sum(sum(data[part].values()) for data in stage["data"]),
        duration=comparison.duration,
        test_reads=comparison.test_reads({name: record}),
        learned=methods.sources(record),
        sure_from=wording.limits(thresholds(record)["views"]),
        limits=LIMITS,
    )
    return f"---\n{data.to_yaml()}\n---\n\n{body}"


def _results(record: Mapping[str, Any]) -> Iterator[EvalResult]:
    from huggingface_hub import EvalResult

    data = record["training"]["stages"][-1]["data"]
    tested_on = str([one["name"] for one in data if not one.get("cut")][-1])
    for protocol, scores in comparison.protocols(record).items():
        kind = protocol.split()[0]
        for key, (hub, words) in _METRICS.items():
            yield EvalResult(
                task_type="image-classification",
                task_name="Facial expression recognition",
                dataset_type=tested_on,
                dataset_name=f"{tested_on}, {protocol} test pictures",
                dataset_config=kind,
                dataset_split="test",
                metric_type=hub,
                metric_value=round(scores[key], 4),
                metric_name=f"{words}, {kind} pictures",
            )


def space(folder: Path) -> None:
    """Write the files of a Space to `folder`; a MerError without mer's source, or if not empty."""
    missing = [name for name in _APP if not (ROOT / name).exists()]
    if missing:
        raise MerError(f"{missing[0]} is not beside mer/. Run this in a clone of the source.")
    weights = (path for path in store.FOLDER.iterdir() if path.suffix in _WEIGHTS)
    own = {f"weights/{path.name}": path for path in weights if not path.name.startswith(".")}
    _copy(folder, {name: ROOT / name for name in (*_APP, *_TEXTS, "mer")} | own)


def model(name: str, folder: Path) -> None:
    """Write a network's weights, record, card, licences to `folder`; raises as `card`, `space`."""
    store.load(name)  # raises if anything is wrong with it
    readme = card(name)
    own = [store.FOLDER / f"{name}{end}" for end in (".safetensors", ".json", ".LICENSE.txt")]
    _copy(folder, {path.name: path for path in (*own, ROOT / "LICENSE")})
    (folder / "README.md").write_text(readme, encoding="utf-8")


def push(repository: str, kind: str, write: Callable[[Path], None]) -> str:
    """Commit the files that `write` writes to OWNER/NAME, a "space" or a "model", made if missing.

    Gives the commit's 40 digits. Raises a MerError where the Hub cannot be reached or refuses.
    """
    import httpx
    from huggingface_hub import HfApi, errors

    sdk = "gradio" if kind == "space" else None
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "repository"
        write(folder)
        try:
            api = HfApi()
            api.create_repo(repository, repo_type=kind, space_sdk=sdk, exist_ok=True)
            done = api.upload_folder(
                repo_id=repository, repo_type=kind, folder_path=folder, commit_message="Publish"
            )
        except errors.HFValidationError as error:
            raise MerError(f"A repository is named OWNER/NAME: {error}") from error
        except (errors.HfHubHTTPError, errors.LocalTokenNotFoundError) as error:
            told = str(error).strip().splitlines()[0]
            raise MerError(f"The Hub refuses {repository} ({told}). {_HELP}") from error
        except (httpx.HTTPError, OSError) as error:
            told = f"The Hub cannot be reached ({error})."
            raise MerError(f"{told} See what would be pushed with --dry-run DIR.") from error
    return str(done.oid)


def _copy(folder: Path, paths: Mapping[str, Path]) -> None:
    """Fill an empty folder with files and folders, by their names there, if they exist."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise MerError(f"{folder} is not an empty folder. Name another, or delete what is in it.")
    for name, path in paths.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        elif path.exists():
            shutil.copyfile(path, folder / name)
