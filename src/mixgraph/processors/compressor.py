"""Compressor: turns down what rises above a threshold (paper, section 3)."""

from __future__ import annotations

from typing import final

from torch import Tensor

from mixgraph.processors.base import PROCESSORS, Parameters
from mixgraph.processors.knee import KneeProcessor


@final
@PROCESSORS.register("compressor")
class Compressor(KneeProcessor):
    """A ratio of 2 halves the decibels above the threshold."""

    name = "compressor"
    letter = "c"
    sign = 1

    def slope(self, ratio: Tensor) -> Tensor:
        return 1 / ratio - 1

    def summary(self, physical: Parameters) -> str:
        return (
            f"threshold {physical['threshold_db']:.1f} dB, ratio {physical['ratio']:.1f}:1, "
            f"knee {physical['knee_db']:.1f} dB, smoothing {physical['smoothing_ms']:.2g} ms"
        )
