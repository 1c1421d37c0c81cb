"""Charts as data: axes, marks, and where they come to lie. The template `chart.svg.j2` only writes them down."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from mixgraph.dsp.units import number

MARGIN: Final = {"left": 46.0, "right": 12.0, "top": 30.0, "bottom": 36.0}
OCTAVES_HZ: Final = (31.5, 63.0, 125.0, 250.0, 500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0, 16_000.0)
STEPS: Final = (1, 2, 2.5, 5, 10)
SIZES: Final = {"small": (340, 210), "wide": (600, 250)}


@dataclass(frozen=True)
class Axis:
    """From `low` to `high`, linear or logarithmic, with ticks `(value, text)`."""

    label: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    log: bool = False

    def place(self, values: Sequence[float] | np.ndarray) -> np.ndarray:
        """Values as shares of the axis, 0 at its low and 1 at its high end, cut off a little beyond both."""
        scaled, low, high = np.asarray(values, float), self.low, self.high
        if self.log:
            scaled, low, high = np.log(np.maximum(scaled, 1e-9)), math.log(low), math.log(high)
        return np.clip((scaled - low) / (high - low), -0.02, 1.02)


@dataclass(frozen=True)
class Mark:
    """One series. `style` is its CSS class; one without a `label` is not in the legend.

    Areas and stems reach down to the axis's low end, steps hold a value until the next one.
    """

    kind: Literal["line", "area", "stems", "steps", "dots"]
    style: str
    x: Sequence[float] | np.ndarray
    y: Sequence[float] | np.ndarray
    label: str = ""


@dataclass(frozen=True)
class Chart:
    """A chart to draw; `seek` says that its x axis is the song's time, so that a click can go there."""

    title: str
    x: Axis
    y: Axis
    marks: tuple[Mark, ...]
    size: Literal["small", "wide"] = "small"
    seek: bool = False

    @property
    def width(self) -> int:
        """In units of the drawing."""
        return SIZES[self.size][0]

    @property
    def height(self) -> int:
        """In units of the drawing."""
        return SIZES[self.size][1]

    @property
    def box(self) -> dict[str, float]:
        """The sides of the plotting area."""
        right, bottom = self.width - MARGIN["right"], self.height - MARGIN["bottom"]
        return {"left": MARGIN["left"], "top": MARGIN["top"], "right": right, "bottom": bottom}

    @property
    def x_ticks(self) -> list[tuple[float, str]]:
        """Positions and texts."""
        return [(round(float(self._x([value])[0]), 1), text) for value, text in self.x.ticks]

    @property
    def y_ticks(self) -> list[tuple[float, str]]:
        """Positions and texts."""
        return [(round(float(self._y([value])[0]), 1), text) for value, text in self.y.ticks]

    @property
    def paths(self) -> list[tuple[str, str]]:
        """Per mark its CSS classes and its SVG path."""
        return [(f"{mark.kind} {mark.style}", self._path(mark)) for mark in self.marks]

    @property
    def legend(self) -> list[tuple[str, str]]:
        """CSS classes and labels of what is to be told apart."""
        return [(f"{mark.kind} {mark.style}", mark.label) for mark in self.marks if mark.label]

    def _x(self, values: Sequence[float] | np.ndarray) -> np.ndarray:
        return self.box["left"] + self.x.place(values) * (self.box["right"] - self.box["left"])

    def _y(self, values: Sequence[float] | np.ndarray) -> np.ndarray:
        return self.box["bottom"] - self.y.place(values) * (self.box["bottom"] - self.box["top"])

    def _path(self, mark: Mark) -> str:
        y = np.asarray(mark.y, float)
        known = np.isfinite(y)
        x, y = self._x(np.asarray(mark.x, float)[known]), self._y(y[known])
        if not len(x):
            return ""
        if mark.kind == "stems":
            return "".join(f"M{a:.1f} {self.box['bottom']:.1f}V{b:.1f}" for a, b in zip(x, y, strict=True))
        if mark.kind == "dots":
            return "".join(f"M{a:.1f} {b:.1f}h0.01" for a, b in zip(x, y, strict=True))
        if mark.kind == "steps":
            x, y = np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1]
        line = "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True))
        if mark.kind == "area":
            return f"M{x[0]:.1f} {self.box['bottom']:.1f}L{line}L{x[-1]:.1f} {self.box['bottom']:.1f}Z"
        return f"M{line}"


def linear_axis(label: str, low: float, high: float, *, ticks: int = 5, unit: str = "") -> Axis:
    """An axis whose ends and ticks are round numbers that hold `low` and `high`."""
    if not (math.isfinite(low) and math.isfinite(high)):
        low, high = 0.0, 1.0
    rough = max(high - low, 1e-6) / ticks
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in STEPS if power * factor >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    last = max(last, first + 1)
    digits = max(0, -math.floor(math.log10(step) + 1e-9) + (step / power == 2.5))
    values = [index * step for index in range(first, last + 1)]
    return Axis(label, values[0], values[-1], tuple((value, number(value, digits) + unit) for value in values))


def time_axis(seconds: float) -> Axis:
    """The song's time from 0 to its end."""
    step = next((step for step in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600) if seconds / step <= 8), 1_800)
    ticks = tuple((float(at), clock(at)) for at in range(0, math.floor(seconds) + 1, step))
    return Axis("", 0.0, max(seconds, 1e-3), ticks)


def frequency_axis(low_hz: float, high_hz: float) -> Axis:
    """Frequencies in octaves, every other one named."""
    named = {63.0: "63", 250.0: "250", 1_000.0: "1k", 4_000.0: "4k", 16_000.0: "16k"}
    ticks = tuple((hz, named.get(hz, "")) for hz in OCTAVES_HZ if low_hz <= hz <= high_hz)
    return Axis("frequency, Hz", low_hz, high_hz, ticks, log=True)


def clock(seconds: float) -> str:
    """Such as 0:00, or 3:07."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
