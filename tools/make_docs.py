"""Writes what is generated in the documents: `python -m tools.make_docs`, or `make documents`.

Each generated part stands between two comments, such as `<!-- figures: ... -->` and
`<!-- /figures -->`; what is around them is written by hand.
"""

import contextlib
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from benchmarks import robustness_report, spotting_record
from mer import cli
from mer.evaluation import robustness
from mer.results import documents
from tools import seed_study

ROOT: Final = Path(__file__).resolve().parents[1]
EXAMPLES: Final = {  # of each endpoint, in the order of docs/api.md; tests/ui/test_api.py runs them
    "predict": 'page.predict(handle_file("photo.jpg"), "cnn1", "yunet", api_name="/predict")',
    "predict_all": 'page.predict([handle_file("photo.jpg")], api_name="/predict_all")',
    "annotate": 'page.predict(handle_file("photo.jpg"), api_name="/annotate")',
    "explain_face": 'page.predict(handle_file("photo.jpg"), number=1, api_name="/explain_face")',
    "report": 'page.predict([handle_file("photo.jpg")], "cnn1", "yunet", api_name="/report")',
    "analyse_video": 'page.predict(handle_file("clip.webm"), api_name="/analyse_video")',
    "analyse_part": 'page.predict(handle_file("clip.webm"), end=1, api_name="/analyse_part")',
    "report_video": 'page.predict(handle_file("clip.webm"), api_name="/report_video")',
    "compare": 'page.predict(api_name="/compare")',
    "evaluation": 'page.predict("cnn1", "clean", api_name="/evaluation")',
    "measure": 'page.predict("cnn1", api_name="/measure")',
    "about": 'page.predict(api_name="/about")',
}


def figures() -> str:
    """The table of `python -m mer compare`."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        cli.main(["compare"])
    return printed.getvalue()


def worse_pictures() -> str:
    """The tables of `python -m benchmarks robustness`, from weights/robustness.json."""
    result = robustness.read()
    return "\n\n".join(robustness_report.text(result)) + "\n" if result else "Not measured yet.\n"


def three_seeds() -> str:
    """The table of `python -m tools.seed_study`, from weights/seeds.json."""
    result = seed_study.read()
    if not result:
        return "Not measured yet.\n"
    table = documents.markdown_frame(seed_study.table(result))
    measured = f"Measured on {result['machine']}, {result['measured']}."
    return f"{seed_study.verdict(result)}\n\n{table}\n\n{measured}\n"


def endpoints() -> str:
    """What the page's endpoints say of themselves, each with an example."""
    from mer import ui

    known: dict[str, Any] = ui.build().get_api_info()["named_endpoints"]
    return "\n".join(_endpoint(name, known[f"/{name}"]) for name in EXAMPLES)


def _endpoint(name: str, endpoint: dict[str, Any]) -> str:
    from gradio.utils import get_function_description

    from mer.ui import api

    _, _, answer = get_function_description(getattr(api, name))
    rows = [_parameter(parameter) for parameter in endpoint["parameters"]]
    head = ["| parameter | type | default | |", "| --- | --- | --- | --- |"]
    table = "\n".join([*head, *rows]) + "\n\n" if rows else ""
    back = " ".join(" ".join(answer).split())
    kind = endpoint["returns"][0]["component"]
    says = f"{endpoint['description']}\n\n{table}Answer ({kind}): {back}"
    call = " ".join(["call", name, *map(_sent, endpoint["parameters"])])
    shown = f"```python\n{EXAMPLES[name]}\n```\n\n```sh\n{call}\n```\n"
    return f"## /{name}\n\n{says}\n\n{shown}"


def _sent(parameter: dict[str, Any]) -> str:
    """A parameter's value in a shell: its default, or the example's file."""
    if parameter["parameter_has_default"]:
        return f"'{json.dumps(parameter['parameter_default'])}'"
    return _FILES[parameter["parameter_name"]]


_FILES: Final = {
    "picture": '"$(file photo.jpg)"',
    "pictures": '"[$(file photo.jpg)]"',
    "video": '"$(file clip.webm)"',
}


def _parameter(parameter: dict[str, Any]) -> str:
    name, kind = parameter["parameter_name"], parameter["python_type"]["type"]
    default = f"`{parameter['parameter_default']!r}`"
    shown = default if parameter["parameter_has_default"] else "needed"
    return f"| `{name}` | `{kind.replace('|', 'or')}` | {shown} | {parameter['label']} |"


PARTS: Final[dict[str, tuple[Path, Callable[[], str]]]] = {
    "figures": (ROOT / "README.md", figures),
    "endpoints": (ROOT / "docs" / "api.md", endpoints),
    "robustness": (ROOT / "docs" / "lab" / "robustness.md", worse_pictures),
    "spotting": (ROOT / "docs" / "lab" / "video.md", spotting_record.targets),
    "seeds": (ROOT / "docs" / "lab" / "experiments.md", three_seeds),
}
"""The generated parts: name in the comments, document, and what writes the text."""


def renewed(name: str) -> tuple[Path, str]:
    """The document that has part `name`, and its whole text with the part written anew.

    Raises:
        ValueError: the document does not have the part's two comments once.
    """
    path, write = PARTS[name]
    part = re.compile(rf"(<!-- {name}: [^\n]* -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    text = write()
    wanted, count = part.subn(
        lambda found: f"{found[1]}\n{text}\n{found[2]}", path.read_text(encoding="utf-8")
    )
    if count != 1:
        raise ValueError(f"{path} has no part between <!-- {name}: ... --> and <!-- /{name} -->.")
    return path, wanted


if __name__ == "__main__":
    for part in PARTS:
        document, content = renewed(part)
        document.write_text(content, encoding="utf-8")
        print(f"written: {part} in {document.relative_to(ROOT)}")
