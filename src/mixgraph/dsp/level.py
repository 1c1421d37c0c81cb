"""Mean-square levels of a signal, as the gain-staging loss compares them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor


@dataclass(frozen=True)
class LevelPair:
    """Mean-square levels `(node,)` of what enters some processors (`dry`) and of what they make of it (`wet`)."""

    dry: Tensor
    wet: Tensor


def mean_square_level(signal: Tensor, kind: Literal["mid", "stereo"]) -> Tensor:
    """Mean square `(node,)` of a signal `(node, 2, time)`: of its mid channel l + r, or over both channels."""
    if kind == "mid":
        return signal.sum(-2).square().mean(-1)
    return signal.square().mean((-2, -1))
