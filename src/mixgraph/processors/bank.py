"""The parameters of a whole graph: one tensor per processor type and parameter, one row per node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import torch
from torch import Tensor

from mixgraph.config import ProcessorConfig
from mixgraph.errors import ConfigError
from mixgraph.processors.base import PROCESSORS, Processor

DRY_WET: Final = "dry_wet_logit"

NodeIds = Mapping[str, Sequence[str]]


def make_processors(types: Sequence[str], sample_rate: int, config: ProcessorConfig) -> dict[str, Processor]:
    """One processor object per type name; raises `ConfigError` at an unknown name."""
    return {name: PROCESSORS[name](sample_rate, config) for name in types}


def chain_types(letters: str) -> tuple[str, ...]:
    """Processor names of a chain of letters such as `ecnsgdr`; `ConfigError` at an unknown or repeated letter."""
    names = {cls.letter: name for name, cls in PROCESSORS.items()}
    for position, letter in enumerate(letters):
        if letter not in names:
            known = ", ".join(f"{key} ({name})" for key, name in sorted(names.items()))
            raise ConfigError(f"chain '{letters}': unknown processor letter '{letter}'; known: {known}")
        if letter in letters[:position]:
            raise ConfigError(f"chain '{letters}': letter '{letter}' stands twice; use each processor once")
    return tuple(names[letter] for letter in letters)


class ParameterBank:
    """Raw parameters and dry/wet logits, looked up by node id.

    `tensors[type][name]` is `(node, *shape)`, its rows in the order of `ids[type]`; `DRY_WET` is `(node,)`.
    """

    def __init__(self, ids: NodeIds, tensors: Mapping[str, Mapping[str, Tensor]]) -> None:
        self.ids = {kind: tuple(names) for kind, names in ids.items() if names}
        self.tensors = {kind: dict(tensors[kind]) for kind in self.ids}
        self._row = {kind: {name: row for row, name in enumerate(names)} for kind, names in self.ids.items()}

    @classmethod
    def initial(
        cls, ids: NodeIds, processors: Mapping[str, Processor], *, std: float, generator: torch.Generator
    ) -> ParameterBank:
        """Parameters ~ N(0, std^2) and dry/wet weights of one half (logit 0), on the CPU in float32."""
        tensors = {
            kind: {
                spec.name: std * torch.randn((len(names), *spec.shape), generator=generator)
                for spec in processors[kind].parameters
            }
            | {DRY_WET: torch.zeros(len(names))}
            for kind, names in ids.items()
            if names
        }
        return cls(ids, tensors)

    @classmethod
    def unflatten(cls, ids: NodeIds, flat: Mapping[str, Tensor]) -> ParameterBank:
        """Inverse of `flatten`."""
        tensors: dict[str, dict[str, Tensor]] = {kind: {} for kind in ids}
        for key, tensor in flat.items():
            kind, _, name = key.partition(".")
            if kind in tensors:
                tensors[kind][name] = tensor
        return cls(ids, tensors)

    def flatten(self) -> dict[str, Tensor]:
        """All tensors under `type.name`."""
        return {f"{kind}.{name}": tensor for kind, group in self.tensors.items() for name, tensor in group.items()}

    def select(self, kind: str, ids: Sequence[str]) -> dict[str, Tensor]:
        """The parameters of some nodes of one type, rows in the order asked for."""
        group, rows = self.tensors[kind], self.rows(kind, ids)
        if rows == tuple(range(rows[0], rows[0] + len(rows))):
            return {name: tensor.narrow(0, rows[0], len(rows)) for name, tensor in group.items()}
        index = torch.tensor(rows, device=group[DRY_WET].device)
        return {name: tensor.index_select(0, index) for name, tensor in group.items()}

    def rows(self, kind: str, ids: Sequence[str]) -> tuple[int, ...]:
        """Where the nodes stand among those of their type."""
        return tuple(self._row[kind][name] for name in ids)

    def keep(self, ids: NodeIds) -> ParameterBank:
        """A detached copy with only the given nodes."""
        return ParameterBank(
            ids,
            {
                kind: {name: tensor.detach().clone() for name, tensor in self.select(kind, names).items()}
                for kind, names in ids.items()
                if names
            },
        )

    def to(self, device: torch.device | str, dtype: torch.dtype = torch.float32) -> ParameterBank:
        """A detached copy on a device."""
        moved = {
            kind: {name: tensor.detach().to(device, dtype, copy=True) for name, tensor in group.items()}
            for kind, group in self.tensors.items()
        }
        return ParameterBank(self.ids, moved)

    def require_grad(self) -> list[Tensor]:
        """All tensors as leaves that collect gradients, in a fixed order."""
        return [tensor.requires_grad_() for tensor in self.flatten().values()]

    def dry_wet(self) -> dict[str, float]:
        """Dry/wet weight in [0, 1] of every node."""
        return {
            node: weight
            for kind, names in self.ids.items()
            for node, weight in zip(names, torch.sigmoid(self.tensors[kind][DRY_WET]).tolist(), strict=True)
        }

    def mean_dry_wet(self) -> dict[str, float]:
        """Mean dry/wet weight of each type."""
        return {kind: torch.sigmoid(group[DRY_WET].detach()).mean().item() for kind, group in self.tensors.items()}
