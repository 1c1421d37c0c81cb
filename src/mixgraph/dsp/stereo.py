"""Two-channel matrices."""

from __future__ import annotations

import torch
from torch import Tensor


def width_matrix(side_gain: Tensor) -> Tensor:
    """`(..., 2, 2)` matrix that scales the side signal l - r by `side_gain (...)` and keeps the mid."""
    same, other = (1 + side_gain) / 2, (1 - side_gain) / 2
    return torch.stack([torch.stack([same, other], -1), torch.stack([other, same], -1)], -2)


def mid_side_to_left_right(mid_side: Tensor) -> Tensor:
    """l = m + s, r = m - s of `(..., 2, time)`."""
    mid, side = mid_side.unbind(-2)
    return torch.stack([mid + side, mid - side], -2)
