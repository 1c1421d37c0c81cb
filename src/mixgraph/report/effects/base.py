"""What there is to know of one processor in a result, and what is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from mixgraph.dsp.units import number
from mixgraph.processors.base import Processor
from mixgraph.report.charts import Chart
from mixgraph.report.hearing import Heard

ALL_WET = 0.995


@dataclass(frozen=True)
class Found:
    """One processor: its settings, raw `(1, ...)` and physical `(...)`, its share of wet signal, and what it hears."""

    processor: Processor
    parameters: Mapping[str, Tensor]
    physical: Mapping[str, Tensor]
    wet: float
    heard: Heard


@dataclass(frozen=True)
class Description:
    """`words` are what an engineer would write down; `settings` label and text of values; `charts` are drawn."""

    words: str
    settings: tuple[tuple[str, str], ...]
    charts: tuple[Chart, ...] = ()


def mixed(wet: float) -> str:
    """Says the share of wet signal where it is not all of it: `, 18 % wet`."""
    return "" if wet > ALL_WET else f", {number(100 * wet, 0)} % wet"


def decibels(gain: np.ndarray | float) -> np.ndarray:
    """Of amplitudes, with a floor at -120 dB."""
    return 20 * np.log10(np.maximum(np.abs(gain), 1e-6))
