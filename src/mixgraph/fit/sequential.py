"""A sequential test: whether a mean over segments is above a bound, after as few of them as are enough."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

LOOKS = (6, 9, 14, 21, 32, 48, 72, 108, 162, 243)
"""After how many segments to look at the mean."""


def is_above(changes: Sequence[float], population: int, bound: float, error: float) -> bool:
    """Whether the mean of a finite population lies above `bound`, judged by a sample."""
    from scipy.special import stdtrit

    count = len(changes)
    spread = float(np.std(changes, ddof=1)) * math.sqrt((1 - count / population) / count)
    return math.fsum(changes) / count - bound > -float(stdtrit(count - 1, error)) * spread
