"""Noise gate: turns down what falls below a threshold (paper, section 3)."""

from __future__ import annotations

from typing import final

from torch import Tensor

from mixgraph.processors.base import PROCESSORS, Parameters
from mixgraph.processors.knee import KneeProcessor


@final
@PROCESSORS.register("noise_gate")
class NoiseGate(KneeProcessor):
    """A ratio of 2 doubles the decibels below the threshold (a downward expander)."""

    name = "noise_gate"
    letter = "n"
    sign = -1

    def slope(self, ratio: Tensor) -> Tensor:
        return 1 - ratio

    def summary(self, physical: Parameters) -> str:
        return (
            f"threshold {physical['threshold_db']:.1f} dB, ratio 1:{physical['ratio']:.1f}, "
            f"knee {physical['knee_db']:.1f} dB, smoothing {physical['smoothing_ms']:.2g} ms"
        )
