"""Processes by fork, after the first prediction: what libraries' users do, and Linux did."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import multiprocessing, sys, warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
import numpy, skimage.data, torch
from mer.inference.predictor import Predictor
from mer.models.registry import MODELS
from mer.weights import store

warnings.simplefilter("ignore")
options = {"norm": sys.argv[2] == "onnx"}
torch.manual_seed(0)
record = {"model": "cnn1", "version": "0.0.0", "options": options}
store.save(MODELS["cnn1"](**options), "cnn1", record, Path(sys.argv[1]))
predictor = Predictor("cnn1", folder=Path(sys.argv[1]))
print(type(predictor._network).__name__, flush=True)
picture = skimage.data.astronaut()
crowd = numpy.tile(picture, (2, 3, 1))

def told(_=0):
    found = predictor.predict(picture), predictor.predict(crowd)
    return [one.probabilities for faces in found for one in faces]

before = told()
fork = multiprocessing.get_context("fork")
print("process", flush=True)
answers = fork.SimpleQueue()
fork.Process(target=lambda: answers.put(told())).start()
found = [answers.get()]
print("pool", flush=True)
with fork.Pool(2, maxtasksperchild=1) as pool:
    found += pool.map(told, range(4))
print("executor", flush=True)
with ProcessPoolExecutor(2, fork) as pool:
    found += pool.map(told, range(4))
for answer in (*found, told()):
    numpy.testing.assert_allclose(before, answer, atol=1e-5)
print(len(before))
"""
LIMIT = 300  # seconds, after which the program is taken to hang


@pytest.mark.parametrize(("way", "network"), [("onnx", "OnnxNetwork"), ("torch", "TorchNetwork")])
def test_children_by_fork_give_the_same_answers(tmp_path: Path, way: str, network: str) -> None:
    log = tmp_path / "log"  # no pipe: children of a program that was ended would keep it open
    with log.open("w") as out:
        program = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(tmp_path), way],
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        ended = program.wait(LIMIT)
    except subprocess.TimeoutExpired:
        ended = None
        os.killpg(program.pid, signal.SIGKILL)
        program.wait()
    assert ended == 0, log.read_text()
    assert log.read_text().split() == [network, "process", "pool", "executor", "7"]
