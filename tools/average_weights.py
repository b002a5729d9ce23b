"""The mean of the weights of networks that began alike: `python -m tools.average_weights --help`.

Networks fine-tuned from the same start on different data lie in one basin; the mean of their
weights is often better on faces of a third kind than either, and costs no time when it answers
(Wortsman et al. 2022).
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mer.errors import MerError
from mer.weights import store


def average(paths: Sequence[Path], shares: Sequence[float], out: Path) -> Path:
    """Write the mean of the weights at `paths`, each with its share of it, and a record.

    The record is the last one's, with the stages of all; the last stage names what was averaged.

    Raises:
        WeightsError: weights or a record are missing, damaged or of other networks.
        MerError: there are not as many shares as weights, or they do not sum to 1.
    """
    if len(paths) != len(shares) or abs(sum(shares) - 1) > 1e-6:
        raise MerError("Give each file of weights a share; together they make 1.")
    parts = [store.load(path.stem, folder=path.parent) for path in paths]
    network, record = parts[-1]
    states = [one.state_dict() for one, _ in parts]
    if any(state.keys() != states[0].keys() for state in states):
        raise MerError("Only weights of networks that are built alike have a mean.")
    network.load_state_dict(
        {
            key: sum(share * state[key] for share, state in zip(shares, states, strict=True))
            for key in states[0]
        }
    )
    stages = _stages([record for _, record in parts])
    averaged = [
        {"share": share, "sha256": one["file"]["sha256"]}
        for share, (_, one) in zip(shares, parts, strict=True)
    ]
    stages[-1] = stages[-1] | {"averaged": averaged}
    seconds = {key: sum(s[key] for s in stages) for key in ("seconds", "cpu_seconds")}
    training = record["training"] | seconds | {"stages": stages}
    store.save(network, record["model"], record | {"training": training}, out)
    return out / f"{record['model']}.safetensors"


def _stages(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The stages of all records, each once, in their order."""
    kept: dict[str, dict[str, Any]] = {}
    for record in records:
        for stage in record["training"]["stages"]:
            kept[json.dumps(stage, sort_keys=True)] = stage
    return list(kept.values())


def main(arguments: Sequence[str] | None = None) -> None:
    """Average the files that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m tools.average_weights", description=__doc__)
    parser.add_argument("weights", type=Path, nargs="+", help="files of weights (.safetensors)")
    parser.add_argument("--shares", type=float, nargs="+", help="of each (default: alike)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    options = parser.parse_args(arguments)
    alike = np.full(len(options.weights), 1 / len(options.weights)).tolist()
    print(average(options.weights, options.shares or alike, options.out))


if __name__ == "__main__":
    main()
