"""The version of the package, which every record and report names."""

from typing import Final

__version__: Final = "0.1.0"
