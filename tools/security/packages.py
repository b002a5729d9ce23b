"""What is installed, and its known weaknesses by pip-audit. Run by `make audit-packages`.

Both are recorded in docs/packages.json. Where no index of weaknesses can be reached, they are not
asked for, and the record says so: a run without a network fails nothing. What was added, removed
or changed since the record is printed either way.
"""

import argparse
import json
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageMetadata, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.security import record

RECORD: Final = Path(__file__).resolve().parents[2] / "docs" / "packages.json"
_COMMAND: Final = ("-m", "pip_audit", "--format", "json", "--progress-spinner", "off")
_PATIENCE_S: Final = 300.0
_LONGEST: Final = 60  # characters of a licence's name; what is longer is its whole text


def weaknesses() -> dict[str, Any] | None:
    """What the index knows, of all that is installed, dev tools too.

    Returns:
        "known": package, version, id and mending versions of each weakness; "unknown": names of
        the packages that the index does not know. None where it cannot be asked.
    """
    try:
        done = subprocess.run(
            [sys.executable, *_COMMAND],
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
        found = json.loads(done.stdout)["dependencies"]
    except (OSError, ValueError, KeyError, subprocess.TimeoutExpired):
        return None
    asked = [one for one in found if "skip_reason" not in one]
    if not asked:
        return None
    known = [
        {"package": one["name"], "version": one["version"], "id": it["id"], "mended": mended}
        for one in asked
        for it in one["vulns"]
        for mended in [it["fix_versions"]]
    ]
    return {"known": known, "unknown": [one["name"] for one in found if one not in asked]}


def installed(package: str = "mer") -> dict[str, dict[str, str]]:
    """Version and licence, by name, of all that a package needs to run."""
    found: dict[str, dict[str, str]] = {}
    seen: set[str] = set()
    wanted = _needs(package)
    while wanted:
        line = wanted.pop()
        name = canonicalize_name(Requirement(line).name)
        if line in seen:
            continue
        seen.add(line)
        with suppress(PackageNotFoundError):
            its = distribution(name)
            found[name] = {"version": its.version, "licence": licence(its.metadata)}
            wanted += _needs(line)
    return dict(sorted(found.items()))


def _needs(line: str) -> list[str]:
    """What an installed package asks for, with the extras that a line such as "ray[data]" names."""
    need = Requirement(line)
    asked = [(text, Requirement(text).marker) for text in distribution(need.name).requires or []]
    extras = {"", *need.extras}
    return [
        text
        for text, marker in asked
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras)
    ]


def licence(metadata: PackageMetadata) -> str:
    """The licence as a package's metadata names it, or "not named"."""
    named = [metadata["License-Expression"]] if "License-Expression" in metadata else []
    classified = metadata.get_all("Classifier") or []
    named += [one.rpartition(" :: ")[2] for one in classified if one.startswith("License :: ")]
    named += [text for text in metadata.get_all("License") or [] if len(text) <= _LONGEST]
    return named[0] if named else "not named"


def told(found: dict[str, Any]) -> str:
    """What a record holds, in sentences."""
    head = f"{len(found['packages'])} packages that mer needs to run, as of {found['day']}."
    its = found["weaknesses"]
    if its is None:
        return (
            f"{head} Weaknesses were not asked for: no index that knows of them could be reached, "
            "or pip-audit is absent. So there may be some."
        )
    lines = [
        f"- {one['package']} {one['version']}: {one['id']}, "
        + (f"mended in {', '.join(one['mended'])}." if one["mended"] else "not mended yet.")
        for one in its["known"]
    ]
    unknown = f" The index does not know {', '.join(its['unknown'])}." if its["unknown"] else ""
    return "\n".join([f"{head} {len(lines)} known weaknesses.{unknown}", *lines])


def changes(old: dict[str, dict[str, str]], new: dict[str, dict[str, str]]) -> list[str]:
    """What was added, removed or changed between two lists of packages, a sentence each."""
    return [
        *(f"{name} {_told(new[name])} was added." for name in sorted(new.keys() - old.keys())),
        *(f"{name} {_told(old[name])} was removed." for name in sorted(old.keys() - new.keys())),
        *(
            f"{name} {_told(old[name])} is {_told(new[name])} now."
            for name in sorted(old.keys() & new.keys())
            if old[name] != new[name]
        ),
    ]


def _told(package: dict[str, str]) -> str:
    return f"{package['version']} ({package['licence']})"


def main() -> int:
    """Print what is known; 1 where a weakness is mended in a newer version."""
    parser = argparse.ArgumentParser(prog="python -m tools.security.packages", description=__doc__)
    parser.add_argument("--write", action="store_true", help="record it, also in SECURITY.md")
    options = parser.parse_args()
    weak, packages = weaknesses(), installed()
    found = {"day": f"{datetime.now(UTC):%Y-%m-%d}", "weaknesses": weak, "packages": packages}
    print(told(found))
    if RECORD.exists():
        old = json.loads(RECORD.read_text(encoding="utf-8"))
        since = changes(old["packages"], packages) or ["nothing has changed."]
        print("The record:", told(old), "Since then:", *since, sep="\n")
    if options.write:
        RECORD.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        record.write("packages", told(found))
    return int(weak is not None and any(one["mended"] for one in weak["known"]))


if __name__ == "__main__":
    sys.exit(main())
