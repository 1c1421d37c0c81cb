"""Adam over a bank of parameters: a rate of its own for the equalisers' magnitudes, and its state as plain tensors."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from mixgraph.config import FitConfig
from mixgraph.processors.bank import ParameterBank
from mixgraph.processors.equalizer import LOG_MAGNITUDE

EQUALIZER = f"equalizer.{LOG_MAGNITUDE}"
WITHOUT_SCHEDULE = math.inf
"""NAdam raises its momentum over some thousand steps; with this decay of that it is constant from the first."""


@dataclass
class Moments:
    """Adam's state between two steps as plain tensors, so that a checkpoint can hold it; empty: forgotten."""

    step: int = 0
    tensors: dict[str, Tensor] = field(default_factory=dict)


class Optimiser:
    """AdamW (arXiv 1711.05101) without weight decay, or NAdam (Dozat 2016); moves a bank's tensors in place."""

    def __init__(self, bank: ParameterBank, config: FitConfig, state: Mapping[str, Tensor]) -> None:
        self._leaves = dict(zip(bank.flatten(), bank.require_grad(), strict=True))
        relative = {EQUALIZER: config.equalizer_rate}
        groups = [{"params": [leaf], "relative": relative.get(name, 1.0)} for name, leaf in self._leaves.items()]
        betas = config.gradient_decay, config.squared_gradient_decay
        if config.optimiser == "nadam":
            self._adam = torch.optim.NAdam(groups, betas=betas, momentum_decay=WITHOUT_SCHEDULE)
        else:
            self._adam = torch.optim.AdamW(groups, betas=betas, weight_decay=0.0)
        known = defaultdict[str, dict[str, Tensor]](dict)
        for key, tensor in state.items():
            name, _, part = key.rpartition("/")
            known[name][part] = tensor.clone()
        self._adam.state.update({leaf: known[name] for name, leaf in self._leaves.items() if name in known})

    @property
    def leaves(self) -> list[Tensor]:
        """The tensors that it moves."""
        return list(self._leaves.values())

    def step(self, gradients: Sequence[Tensor], learning_rate: float) -> None:
        """Goes down `gradients`, one for each of `leaves`; zeros, where nobody was heard, let its moments fade."""
        for leaf, gradient in zip(self._leaves.values(), gradients, strict=True):
            leaf.grad = gradient
        for group in self._adam.param_groups:
            group["lr"] = learning_rate * group["relative"]
        self._adam.step()
        self._adam.zero_grad(set_to_none=True)

    def state(self) -> dict[str, Tensor]:
        """Copies of the moments under `type.name/part`."""
        return {
            f"{name}/{part}": self._adam.state[leaf][part].detach().clone()
            for name, leaf in self._leaves.items()
            for part in self._adam.state.get(leaf, ())
        }
