"""The settings of a processor as one row of numbers, of one size per type and near one in magnitude."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Final, Literal

import torch
from torch import Tensor

from mixgraph.processors.bank import DRY_WET
from mixgraph.processors.base import Processor
from mixgraph.result.result import Result

Form = Literal["physical", "raw"]
LOGARITHMIC: Final = ("_ms", "_s", "_hz", "ratio")
DB_PER_UNIT: Final = 20.0
LARGEST: Final = 10.0


def parameter_rows(result: Result, form: Form) -> dict[str, Tensor]:
    """`(node, 1 + parameters)` float32 per type, rows in the graph's order of that type.

    First the dry/wet weight (0 to 1; raw: its logit), then the parameters, arrays flattened, scaled by `scaled`.
    """
    found = {}
    for kind, tensors in result.bank.tensors.items():
        weight = tensors[DRY_WET] if form == "raw" else torch.sigmoid(tensors[DRY_WET])
        values = _values(result.processors[kind], tensors, form)
        found[kind] = torch.cat([weight[:, None], *(value.reshape(len(weight), -1) for value in values.values())], 1)
    return found


def parameter_names(processor: Processor, form: Form) -> tuple[str, ...]:
    """What each number of a row is: `dry_wet`, `threshold_db`, `magnitude_db[7]`, ..."""
    zeros = {spec.name: torch.zeros(1, *spec.shape) for spec in processor.parameters}
    names = [DRY_WET if form == "raw" else "dry_wet"]
    for name, value in _values(processor, zeros, form).items():
        places = product(*map(range, value.shape[1:]))
        names += [f"{name}[{','.join(map(str, place))}]" if place else name for place in places]
    return tuple(names)


def scaled(name: str, value: Tensor) -> Tensor:
    """A physical value as networks take it: dB over 20, times, frequencies and ratios as log10, others as they are.

    Then held to ±10: extreme but sound parameters read as infinite ratios or times.
    """
    if name.endswith("_db"):
        value = value / DB_PER_UNIT
    elif name.endswith(LOGARITHMIC):
        value = torch.log10(value.clamp(min=0))
    return value.clamp(-LARGEST, LARGEST)


def _values(processor: Processor, tensors: Mapping[str, Tensor], form: Form) -> dict[str, Tensor]:
    if form == "raw":
        return {spec.name: tensors[spec.name] for spec in processor.parameters}
    with torch.no_grad():
        return {name: scaled(name, value) for name, value in processor.physical(tensors).items()}
