"""Adam over a bank: a rate of its own for the equalisers' magnitudes, and its state as plain tensors.

Written here, because `torch.optim` loads PyTorch's compiler with its first optimiser: 70 MB, and a second and more of
the time to the first step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from mixgraph.config import FitConfig
from mixgraph.processors.bank import ParameterBank
from mixgraph.processors.equalizer import LOG_MAGNITUDE

EQUALIZER = f"equalizer.{LOG_MAGNITUDE}"
EPSILON = 1e-8
PARTS = "step", "exp_avg", "exp_avg_sq"


@dataclass
class Moments:
    """Adam's state between two steps as plain tensors, so that a checkpoint can hold it; empty: forgotten."""

    step: int = 0
    tensors: dict[str, Tensor] = field(default_factory=dict)


class Optimiser:
    """Adam (arXiv 1412.6980) or NAdam (Dozat 2016, one momentum for all steps); moves a bank's tensors in place."""

    def __init__(self, bank: ParameterBank, config: FitConfig, state: Mapping[str, Tensor]) -> None:
        self._leaves = dict(zip(bank.flatten(), bank.require_grad(), strict=True))
        self._relative = {EQUALIZER: config.equalizer_rate}
        self._decays = config.gradient_decay, config.squared_gradient_decay
        self._nesterov = config.optimiser == "nadam"
        self._moments: dict[str, _Moments] = {}
        for name, leaf in self._leaves.items():
            known = [state[f"{name}/{part}"].clone() for part in PARTS if f"{name}/{part}" in state]
            self._moments[name] = _Moments(int(known[0]), *known[1:]) if known else _Moments.none(leaf.detach())

    @property
    def leaves(self) -> list[Tensor]:
        """The tensors that it moves."""
        return list(self._leaves.values())

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor], learning_rate: float) -> None:
        """Goes down `gradients`, one for each of `leaves`; zeros, where nobody was heard, let its moments fade."""
        for (name, leaf), gradient in zip(self._leaves.items(), gradients, strict=True):
            self._move(leaf, gradient, self._moments[name], learning_rate * self._relative.get(name, 1.0))

    def _move(self, leaf: Tensor, gradient: Tensor, moments: _Moments, rate: float) -> None:
        first, second = self._decays
        moments.step += 1
        moments.mean.lerp_(gradient, 1 - first)
        moments.squares.mul_(second).addcmul_(gradient, gradient, value=1 - second)
        scale = (moments.squares.sqrt() / (1 - second**moments.step) ** 0.5).add_(EPSILON)
        if not self._nesterov:
            leaf.addcdiv_(moments.mean, scale, value=-rate / (1 - first**moments.step))
            return
        # The mean as the next step will find it, with this gradient once more in the place of the next.
        leaf.addcdiv_(gradient, scale, value=-rate * (1 - first) / (1 - first**moments.step))
        leaf.addcdiv_(moments.mean, scale, value=-rate * first / (1 - first ** (moments.step + 1)))

    def state(self) -> dict[str, Tensor]:
        """Copies of the moments under `type.name/part`."""
        return {
            f"{name}/{part}": tensor
            for name, moments in self._moments.items()
            for part, tensor in zip(PARTS, moments.copies(), strict=True)
        }


@dataclass
class _Moments:
    """Of one tensor: how many steps it has had, the decaying mean of its gradients and that of their squares."""

    step: int
    mean: Tensor
    squares: Tensor

    @classmethod
    def none(cls, leaf: Tensor) -> _Moments:
        return cls(0, torch.zeros_like(leaf), torch.zeros_like(leaf))

    def copies(self) -> tuple[Tensor, Tensor, Tensor]:
        return torch.tensor(float(self.step)), self.mean.clone(), self.squares.clone()
