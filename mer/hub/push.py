"""Pushing to the Hub: the page as a Space, or a network with its model card."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from mer.errors import MerError
from mer.hub import card
from mer.weights import store

ROOT: Final = Path(__file__).resolve().parent.parent.parent
_APP: Final = ("app.py", "requirements.txt", "LICENSE")
_TEXTS: Final = ("README.md", "ARCHITECTURE.md", "CHANGELOG.md", "docs")  # README links to them
_WEIGHTS: Final = (".safetensors", ".json", ".onnx", ".txt")
_HELP: Final = "Log in with `hf auth login`, with a token that may write there, and try again."


def space(folder: Path) -> None:
    """Write the files of a Space to `folder`: page, weights, and README with its front matter.

    Raises:
        MerError: the program was installed without its source, or `folder` is not empty.
    """
    missing = [name for name in _APP if not (ROOT / name).exists()]
    if missing:
        raise MerError(f"{missing[0]} is not beside mer/. Run this in a clone of the source.")
    _empty(folder)
    for name in (*_APP, *(name for name in _TEXTS if (ROOT / name).exists())):
        _copy(ROOT / name, folder / name)
    _copy(ROOT / "mer", folder / "mer")
    (folder / "weights").mkdir()
    for path in sorted(store.FOLDER.iterdir()):
        if path.suffix in _WEIGHTS and not path.name.startswith("."):
            _copy(path, folder / "weights" / path.name)


def model(name: str, folder: Path) -> None:
    """Write the files of a network's repository to `folder`: weights, record, card, licences.

    Raises:
        WeightsError: the network's files are missing or damaged, or hold no figures.
        MerError: `folder` is not empty.
    """
    store.load(name)  # raises if anything is wrong with them
    readme = card.text(name)
    _empty(folder)
    (folder / "README.md").write_text(readme, encoding="utf-8")
    for ending in (".safetensors", ".json", ".LICENSE.txt"):
        path = store.FOLDER / f"{name}{ending}"
        if path.exists():
            _copy(path, folder / path.name)
    if (ROOT / "LICENSE").exists():
        _copy(ROOT / "LICENSE", folder / "LICENSE")


def push(repository: str, kind: str, write: Callable[[Path], None]) -> str:
    """Commit the files that `write` writes to OWNER/NAME, a "space" or a "model", made if missing.

    Returns:
        The commit's 40 digits.

    Raises:
        MerError: the Hub cannot be reached or refuses; or what `write` raises.
    """
    import httpx
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError

    sdk = "gradio" if kind == "space" else None
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "repository"
        write(folder)
        try:
            api = HfApi()
            api.create_repo(repository, repo_type=kind, space_sdk=sdk, exist_ok=True)
            done = api.upload_folder(
                repo_id=repository,
                repo_type=kind,
                folder_path=folder,
                commit_message="Publish",
            )
        except HFValidationError as error:
            raise MerError(f"A repository is named OWNER/NAME: {error}") from error
        except (HfHubHTTPError, LocalTokenNotFoundError) as error:
            told = str(error).strip().splitlines()[0]
            raise MerError(f"The Hub refuses {repository} ({told}). {_HELP}") from error
        except (httpx.HTTPError, OSError) as error:
            raise MerError(
                f"The Hub cannot be reached ({error}). See what would be pushed with --dry-run DIR."
            ) from error
    return str(done.oid)


def _empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise MerError(f"{folder} is not an empty folder. Name another, or delete what is in it.")
    folder.mkdir(parents=True, exist_ok=True)


def _copy(path: Path, target: Path) -> None:
    if path.is_dir():
        shutil.copytree(path, target, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    else:
        shutil.copyfile(path, target)
