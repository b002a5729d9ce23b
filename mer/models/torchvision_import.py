"""`import torchvision` where it was built for another torch.

Beside a CPU build of torch, a package index may serve only torchvision's CUDA build. Its compiled
operators then fail to load and the plain import stops at `operator torchvision::nms does not
exist`. Networks and transforms need none of them: declaring the two schemas lets the import pass.
"""

import importlib
from types import ModuleType

import torch


def import_models() -> ModuleType:
    """Return `torchvision.models`, declaring the missing operators only if the import asks."""
    try:
        return importlib.import_module("torchvision.models")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
    library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for operator in ("nms", "qnms"):
        schema = f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        library.define(schema)  # type: ignore[no-untyped-call]
    _keep.append(library)  # the schemas vanish with the object
    return importlib.import_module("torchvision.models")


_keep: list[torch.library.Library] = []
