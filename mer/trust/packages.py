"""Known weaknesses of the installed packages, by pip-audit. Run by `make audit-packages`.

Where the package index cannot be reached, what was found last time is printed instead, from
docs/packages.json: a run without a network fails nothing.
"""

import argparse
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

RECORD: Final = Path(__file__).resolve().parents[2] / "docs" / "packages.json"
_COMMAND: Final = ("-m", "pip_audit", "--format", "json", "--progress-spinner", "off")
_PATIENCE_S: Final = 300.0


def audit() -> dict[str, Any] | None:
    """Day, packages with their versions, and weaknesses; None where that cannot be found out."""
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
    asked = [one for one in found if "skip_reason" not in one]  # the index knows the others not
    if not asked:
        return None
    weak = [
        {"package": one["name"], "version": one["version"], "id": it["id"], "mended": mended}
        for one in asked
        for it in one["vulns"]
        for mended in [it["fix_versions"]]
    ]
    versions = {one["name"]: one["version"] for one in asked}
    return {"day": f"{datetime.now(UTC):%Y-%m-%d}", "weaknesses": weak, "packages": versions}


def told(found: dict[str, Any]) -> str:
    """What was found, in sentences."""
    head = f"{len(found['packages'])} packages looked at on {found['day']}"
    lines = [
        f"- {one['package']} {one['version']}: {one['id']}, "
        + (f"mended in {', '.join(one['mended'])}." if one["mended"] else "not mended yet.")
        for one in found["weaknesses"]
    ]
    return "\n".join([f"{head}: {len(lines)} known weaknesses.", *lines])


def main() -> int:
    """Print what is known; 1 where a weakness is mended in a newer version."""
    parser = argparse.ArgumentParser(prog="python -m mer.trust.packages", description=__doc__)
    parser.add_argument("--write", action="store_true", help="record what was found")
    options = parser.parse_args()
    found = audit()
    if found is None:
        print("No index that knows of weaknesses can be reached, or pip-audit is absent.")
        if RECORD.exists():
            print("The last time:", told(json.loads(RECORD.read_text(encoding="utf-8"))))
        return 0
    print(told(found))
    if options.write:
        RECORD.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return int(any(one["mended"] for one in found["weaknesses"]))


if __name__ == "__main__":
    sys.exit(main())
