"""Trains the tiny network on a folder: a program of its own, so that a test can kill it.

Usage: train_tiny.py DATA OUT
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mer.training.config import Settings
from mer.training.trainer import train
from tests.tiny import register

if __name__ == "__main__":
    register()
    settings = Settings(epochs=6, batch=8, copies=1, validation=0.2, patience=9, average=0.9)
    train("tiny", [Path(sys.argv[1])], out=Path(sys.argv[2]), settings=settings)
