"""Reads facial expressions: seven classes, from pictures of faces.

    import mer

    picture = mer.read("photo.jpg")
    for prediction in mer.get_predictor("cnn1").predict(picture):
        print(prediction.face.box, prediction.emotion, prediction.probability)

    for event in mer.analyse("clip.mp4").events:
        print(event.kind, event.region, event.onset_ms, event.apex_ms, event.offset_ms)

The names below are the public surface. Each is imported from its module on first use, so that
`import mer` costs nothing.
"""

import importlib
import os
from typing import TYPE_CHECKING

from mer.version import __version__ as __version__

if TYPE_CHECKING:
    from mer.emotions import COLORS, EMOTIONS
    from mer.errors import DataError, ImageError, MerError, VideoError, WeightsError
    from mer.evaluation.metrics import evaluate
    from mer.faces.detection import Face, detect, detect_faces, enhance_image
    from mer.inference.camera import capture_image
    from mer.inference.predictor import Prediction, Predictor, get_predictor, predict_image
    from mer.io.images import read
    from mer.models.base import BaseClasificacionImagenes
    from mer.models.cnn import CNN1, CNN2
    from mer.models.registry import MODELS
    from mer.models.resnet18 import ModeloMERCNN
    from mer.training.devices import DeviceDataLoader, get_default_device, selected_device
    from mer.video.analysis import analyse
    from mer.video.types import Analysis, Event, Person, Timing

# Read when onnxruntime is imported, which else reports to Microsoft and keeps a number for this
# computer in the user's cache folder. Who wants that sets it to 0.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

_HOMES = {
    "inference.camera": ("capture_image",),
    "training.devices": ("DeviceDataLoader", "get_default_device", "selected_device"),
    "emotions": ("COLORS", "EMOTIONS"),
    "errors": ("DataError", "ImageError", "MerError", "VideoError", "WeightsError"),
    "evaluation.metrics": ("evaluate",),
    "faces.detection": ("Face", "detect", "detect_faces", "enhance_image"),
    "io.images": ("read",),
    "models.base": ("BaseClasificacionImagenes",),
    "models.cnn": ("CNN1", "CNN2"),
    "models.registry": ("MODELS",),
    "models.resnet18": ("ModeloMERCNN",),
    "inference.predictor": ("Prediction", "Predictor", "get_predictor", "predict_image"),
    "video.analysis": ("analyse",),
    "video.types": ("Analysis", "Event", "Person", "Timing"),
}

__all__ = [
    "CNN1", "CNN2", "COLORS", "EMOTIONS", "MODELS", "Analysis", "BaseClasificacionImagenes",
    "DataError", "DeviceDataLoader", "Event", "Face", "ImageError", "MerError", "ModeloMERCNN",
    "Person", "Prediction", "Predictor", "Timing", "VideoError", "WeightsError", "analyse",
    "capture_image", "detect", "detect_faces", "enhance_image", "evaluate", "get_default_device",
    "get_predictor", "predict_image", "read", "selected_device",
]  # fmt: skip


def __getattr__(name: str) -> object:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"mer.{module}"), name)
    raise AttributeError(f"module 'mer' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
