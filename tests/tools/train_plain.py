"""Trains a network without dropout and batch normalisation, whose weights do not depend on how
many processes share the work. A program of its own, for `torchrun`.

Usage: train_plain.py DATA OUT
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from torch import nn

from mer.models.registry import NETWORKS, Entry
from tests.tiny import Tiny
from tools.training.run import LabSettings, train


class Plain(Tiny):
    """The tiny network without what differs between processes."""

    def __init__(self) -> None:
        super().__init__(norm=False)
        self.layers[-1] = nn.Identity()  # in place of dropout


# A batch of 9 makes two processes have unequal parts.
SETTINGS = LabSettings(
    epochs=4, batch=9, copies=1, validation=0.2, patience=9, average=0.9, mixup=0.2
)

if __name__ == "__main__":
    plain = Entry("tests.tools.train_plain:Plain", size=Plain.size, description="plain layers")
    NETWORKS["tiny"] = plain
    train("tiny", [Path(sys.argv[1])], out=Path(sys.argv[2]), settings=SETTINGS)
