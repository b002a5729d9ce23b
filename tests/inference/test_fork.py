"""A process pool by fork, after the first prediction: what libraries' users do, and Linux did."""

import subprocess
import sys

PROGRAM = """
import faulthandler, multiprocessing, warnings
import numpy, skimage.data, mer

faulthandler.dump_traceback_later(100, exit=True)
warnings.simplefilter("ignore")
picture = skimage.data.astronaut()
crowd = numpy.tile(picture, (2, 3, 1))
predictor = mer.get_predictor("cnn1")

def told(_=0):
    faulthandler.dump_traceback_later(100, exit=True)
    found = predictor.predict(picture), mer.get_predictor("cnn1").predict(crowd)
    faulthandler.cancel_dump_traceback_later()
    return [[one.probabilities for one in faces] for faces in found]

before = told()
with multiprocessing.get_context("fork").Pool(2) as pool:
    answers = pool.map(told, range(2))
for answer in (*answers, told()):
    for ours, theirs in zip(before, answer, strict=True):
        numpy.testing.assert_allclose(ours, theirs, atol=1e-5)
print(len(before[0]), len(before[1]))
"""


def test_children_by_fork_give_the_same_answers() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "1 6\n"
