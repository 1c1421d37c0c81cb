"""Metadata files of datasets, read as data and checked against what they should say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from mixgraph.errors import SongError

T = TypeVar("T")


class Metadata(BaseModel):
    """What we need of a metadata file; what else it says is ignored. `yes` and `no` are truth values."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True, allow_inf_nan=False)


def read_metadata(path: Path, kind: type[T]) -> T:
    """Reads JSON (by its suffix) or YAML as `kind`; raises `SongError` naming the file and the place in it."""
    try:
        text = path.read_text(encoding="utf-8")
        value = json.loads(text) if path.suffix.lower() == ".json" else _read_yaml(text, path)
        return TypeAdapter(kind).validate_python(value)
    except FileNotFoundError:
        raise SongError(f"{path}: no such metadata file; download it again") from None
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"])) or "it"
        raise SongError(f"{path}: {place}: {fault['msg'].lower()}; correct that place") from None
    except OSError as error:
        raise SongError(f"{path}: cannot be read ({error.strerror}); check its permissions") from None
    except (ValueError, RecursionError) as error:
        raise SongError(f"{path}: cannot be read ({error}); correct that place or download it again") from None


def existing(path: Path, needed_by: Path) -> Path:
    """The path of an audio file that is there; raises `SongError` saying which metadata file, or song, needs it."""
    if not path.is_file():
        raise SongError(f"{path}: no such audio file, but {needed_by.name} needs it; copy or download it again")
    return path


def _read_yaml(text: str, path: Path) -> Any:
    try:
        import yaml
    except ImportError:
        raise SongError(f"{path}: reading YAML needs the package pyyaml; pip install 'mixgraph[corpus]'") from None
    try:
        # The loader in C where PyYAML has it: ten times as fast, and as safe.
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise SongError(f"{path}: not valid YAML ({' '.join(str(error).split())}); correct that place") from None
