"""How the learning rate goes over the steps of a phase, as a share of its peak."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

LOWEST = 0.01
"""Where the schedules that rise and fall begin and end."""
RISE = 0.1
"""Share of the steps in which they rise."""
FALL = 0.8
"""Share of the steps after that in which `trapezoid` falls."""


def constant(step: int, steps: int) -> float:
    """The paper's."""
    return 1.0


def one_cycle(step: int, steps: int) -> float:
    """Up and down on cosines (arXiv 1708.07120)."""
    rise = _rise(steps)
    share = step / rise if step < rise else _left(step, steps, rise)
    return LOWEST + (1 - LOWEST) * _half_cosine(share)


def trapezoid(step: int, steps: int) -> float:
    """Up on a cosine, level, and down on a line: longer at the peak than `one_cycle` (arXiv 2405.18392)."""
    rise = _rise(steps)
    share = _half_cosine(step / rise) if step < rise else min(1.0, _left(step, steps, rise) / FALL)
    return LOWEST + (1 - LOWEST) * share


SCHEDULES: Mapping[str, Callable[[int, int], float]] = {
    "constant": constant,
    "one_cycle": one_cycle,
    "trapezoid": trapezoid,
}
"""By name: the share of the peak at a step, counted from 0, of so many."""


def _rise(steps: int) -> int:
    return max(1, round(RISE * steps))


def _left(step: int, steps: int, rise: int) -> float:
    """The share of the steps after the rise that are still to come."""
    return 1 - (step - rise) / max(1, steps - rise)


def _half_cosine(share: float) -> float:
    return (1 - math.cos(math.pi * share)) / 2
