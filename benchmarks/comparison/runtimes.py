"""The same networks in several runtimes: `python -m benchmarks runtimes`.

OpenVINO is measured where it is installed, `pip install openvino onnx`; mer does not need it.
"""

import importlib.util
import statistics
import tempfile
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from benchmarks import timing
from mer.inference import speed
from mer.inference.backends import OnnxNetwork, TorchNetwork
from mer.inference.probabilities import temperature_softmax
from mer.models.registry import MODELS
from mer.weights import store
from tools.export_onnx import Pixels

RUNS: Final = 30
WARM_UP: Final = 5
THREADS: Final = (1, 2)
Answer = Callable[[np.ndarray], np.ndarray]


def report() -> str:
    """A table in Markdown: milliseconds for one face with its mirror image, and what differs."""
    rows = [timing.machine(), ""]
    rows.append("| network | runtime | threads | ms | fastest | greatest difference |")
    rows.append("|---" * 6 + "|")
    rows += [row for name in MODELS for row in _rows(name)]
    return "\n".join(rows)


def _rows(name: str) -> Iterator[str]:
    plain = TorchNetwork(name)
    pixels = np.random.default_rng(0).integers(0, 256, (1, plain.size, plain.size, 3), np.uint8)
    exact = _chances(plain(pixels))
    for runtime, threads, answer in _runtimes(name, plain):
        apart = float(np.abs(_chances(answer(pixels)) - exact).max())
        times = speed.milliseconds(partial(answer, pixels), RUNS, WARM_UP)
        middle, least = statistics.median(times), min(times)
        yield f"| {name} | {runtime} | {threads} | {middle:.1f} | {least:.1f} | {apart:.1e} |"


def _runtimes(name: str, plain: TorchNetwork) -> Iterator[tuple[str, int, Answer]]:
    before = torch.get_num_threads()
    for threads in THREADS:
        torch.set_num_threads(threads)
        yield "torch", threads, plain
    torch.set_num_threads(before)
    for threads in THREADS:
        graph = OnnxNetwork(name, store.arrays(name)[0], threads=threads)
        yield "ONNX Runtime", threads, graph
    if importlib.util.find_spec("openvino"):
        yield from _openvino(name)


def _openvino(name: str) -> Iterator[tuple[str, int, Answer]]:
    import openvino  # type: ignore[import-not-found,unused-ignore]

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "whole.onnx"
        _export(name, path)
        for precision in ("f32", "bf16"):
            for threads in THREADS:
                hints = {
                    "INFERENCE_NUM_THREADS": threads,
                    "INFERENCE_PRECISION_HINT": precision,
                    "PERFORMANCE_HINT": "LATENCY",
                }
                request = openvino.Core().compile_model(path, "CPU", hints).create_infer_request()
                yield f"OpenVINO, {precision}", threads, _asked(request)


def _asked(request: Any) -> Answer:
    def answer(pixels: np.ndarray) -> np.ndarray:
        views = np.concatenate([pixels, pixels[:, :, ::-1]])
        return np.array(request.infer({0: views})[0]).reshape(2, len(pixels), -1)

    return answer


def _export(name: str, path: Path) -> None:
    network, _ = store.load(name)
    pixels = torch.zeros(2, network.size, network.size, 3, dtype=torch.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(Pixels(network).eval(), (pixels,), path, dynamo=False, opset_version=17)


def _chances(logits: np.ndarray) -> np.ndarray:
    return temperature_softmax(logits, 1.0)
