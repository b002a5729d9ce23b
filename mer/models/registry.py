"""The networks, by name: one file each, one registry, imported on first use.

The names are known at once; the classes need torch, which takes seconds to import.
"""

import importlib
from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mer.models.base import BaseClasificacionImagenes
    from mer.models.cnn1 import CNN1
    from mer.models.cnn2 import CNN2
    from mer.models.faceres import FaceRes
    from mer.models.resnet18 import ModeloMERCNN
    from mer.models.sface import SFace

__all__ = [
    "CNN1",
    "CNN2",
    "MODELS",
    "BaseClasificacionImagenes",
    "FaceRes",
    "ModeloMERCNN",
    "SFace",
]

_HOMES: Final = {
    "BaseClasificacionImagenes": "base",
    "CNN1": "cnn1",
    "CNN2": "cnn2",
    "FaceRes": "faceres",
    "ModeloMERCNN": "resnet18",
    "SFace": "sface",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"mer.models.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'mer.models.registry' has no attribute {name!r}")


class _Registry(MutableMapping[str, "type[BaseClasificacionImagenes]"]):
    """Classes by name; one may stand as its name in _HOMES until it is asked for."""

    def __init__(self, **networks: str) -> None:
        self._networks: dict[str, Any] = dict(networks)

    def __getitem__(self, name: str) -> "type[BaseClasificacionImagenes]":
        found = self._networks[name]
        network: type[BaseClasificacionImagenes] = (
            __getattr__(found) if isinstance(found, str) else found
        )
        return network

    def __setitem__(self, name: str, network: "type[BaseClasificacionImagenes]") -> None:
        self._networks[name] = network

    def __delitem__(self, name: str) -> None:
        del self._networks[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._networks)

    def __len__(self) -> int:
        return len(self._networks)

    def __contains__(self, name: object) -> bool:
        return name in self._networks


MODELS: Final = _Registry(
    cnn1="CNN1", cnn2="CNN2", resnet18="ModeloMERCNN", sface="SFace", faceres="FaceRes"
)
