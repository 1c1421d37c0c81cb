"""Files of a result: JSON and tensors; one that exists is complete."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from mixgraph.errors import ResultError
from mixgraph.files import write_bytes


def write_json(path: Path, value: Any) -> None:
    """Writes indented JSON; raises `OutputError`."""
    write_bytes(path, (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())


def read_json(path: Path) -> Any:
    """Reads JSON; raises `ResultError` naming the file."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ResultError(f"{path}: missing; is {path.parent} a complete result folder of `mixgraph search`?") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ResultError(f"{path}: cannot be read as JSON ({error}); run the search again") from None


def read_object(path: Path) -> dict[str, Any]:
    """Reads a JSON object; raises `ResultError` naming the file."""
    value = read_json(path)
    if not isinstance(value, dict):
        raise ResultError(f"{path}: holds {value!r:.40} where an object is expected; run the search again")
    return value


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Writes safetensors; raises `OutputError`."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_bytes(path, safetensors.torch.save(plain))


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Reads safetensors; raises `ResultError` naming the file."""
    try:
        return safetensors.torch.load(path.read_bytes())
    except FileNotFoundError:
        raise ResultError(f"{path}: missing; is {path.parent} a complete result folder of `mixgraph search`?") from None
    except (OSError, SafetensorError) as error:
        raise ResultError(f"{path}: cannot be read as safetensors ({error}); run the search again") from None
