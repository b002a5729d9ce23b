"""What a record has to be like for those who read it; what else is in it is left alone."""

import json
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

_Share = Annotated[float, Field(ge=0, le=1)]
_Name = Annotated[str, Field(min_length=1, max_length=100)]
_Amount = Annotated[float, Field(ge=0, le=1e12)]
_Option = bool | int | float | str | None


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False)


class File(_Part):
    """The weights' file."""

    name: _Name | None = None
    bytes: Annotated[int, Field(ge=0, le=10**12)] | None = None
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None


class Calibration(_Part):
    """How probabilities and answers are fitted, see `mer.evaluation.calibration`."""

    temperature: Annotated[float, Field(gt=0, le=100)] = 1.0
    threshold: _Share = 0.0
    thresholds: dict[str, _Share | dict[_Name, _Share]] = {}
    zooms: list[Annotated[float, Field(ge=1, le=10)]] = [1.0]


class Training(_Part):
    """What it took."""

    seconds: _Amount = 0.0
    cpu_seconds: _Amount = 0.0
    stages: list[dict[str, Any]] = []


class Record(_Part):
    """All of it."""

    model: _Name
    architecture: _Name | None = None
    version: Annotated[str, Field(max_length=100)] = ""
    classes: Annotated[list[_Name], Field(min_length=2, max_length=1000)] | None = None
    options: dict[str, _Option | list[_Option]] = {}
    parameters: Annotated[int, Field(ge=0, le=10**12)] = 0
    test_reads: Annotated[int, Field(ge=0, le=10**6)] = 0
    file: File = File()
    calibration: Calibration = Calibration()
    training: Training = Training()
    evaluation: dict[str, Any] = {}


def checked(text: bytes) -> dict[str, Any]:
    """A record's content, as it stands in its file.

    Raises:
        ValueError: it is no JSON, or not what a record has to be; in a few words.
    """
    try:
        record = json.loads(text, parse_constant=_no_number)
        Record.model_validate(record)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(step) for step in first["loc"]) or "all of it"
        raise ValueError(f"{place[:100]}: {first['msg'][:100]}") from error
    except ValueError as error:
        raise ValueError("no JSON") from error
    assert isinstance(record, dict)
    return record


def _no_number(text: str) -> float:
    raise ValueError(text)
