"""Where the system knows neither limits nor locks, mer can be imported all the same."""

import subprocess
import sys

PROGRAM = """
import sys
sys.modules["fcntl"] = sys.modules["resource"] = None
import mer, mer.ui, mer.batch.result_store, mer.io.decoder
from mer.io import system
system.open_files(100)
assert system.locked(0) and not system.peak_memory()
print("imported")
"""


def test_mer_is_imported_without_limits_and_locks() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert done.stdout == "imported\n", done.stderr
