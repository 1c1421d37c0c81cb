"""Compressor and noise gate: the static curve over the levels that come in."""

from __future__ import annotations

import numpy as np
import torch

from mixgraph.dsp.dynamics import knee_gain
from mixgraph.dsp.units import number
from mixgraph.processors.knee import KneeProcessor
from mixgraph.report.charts import Chart, Mark, linear_axis
from mixgraph.report.effects.base import Description, Found, decibels, mixed
from mixgraph.report.hearing import LEVELS_DB

NAMES = {1: "compressor", -1: "gate"}
LOWEST_DB, HIGHEST_DB = -80.0, 0.0


def describe(found: Found, processor: KneeProcessor) -> Description:
    """Threshold, ratio, time, and what it does to this song."""
    value = {name: float(value) for name, value in found.physical.items()}
    ratio = f"{number(value['ratio'])}:1" if processor.sign == 1 else f"1:{number(value['ratio'])}"
    time_ms = value["smoothing_ms"]
    short = f"{float(f'{time_ms:.2g}'):g} ms"
    low, high = found.heard.gain_range_db
    change = f"{number(found.heard.gain_db, sign=True)} dB"
    extreme = f"{number(low if -low > high else high, sign=True)} dB"
    return Description(
        words=f"{NAMES[processor.sign]} {number(value['threshold_db'])} dB, {ratio}, {short}{mixed(found.wet)}"
        f" ({change} on average)",
        settings=(
            ("Threshold", f"{number(value['threshold_db'])} dB"),
            ("Ratio", ratio),
            ("Knee", f"{number(value['knee_db'])} dB"),
            ("Time constant", f"{time_ms:.3g} ms"),
            ("Gain change, average", change),
            ("Gain change, most", extreme),
        ),
        charts=(_chart(found, processor),),
    )


def _chart(found: Found, processor: KneeProcessor) -> Chart:
    levels = np.linspace(LOWEST_DB, HIGHEST_DB, 161)
    envelope = torch.from_numpy(10 ** (levels / 10))[None]
    with torch.no_grad():
        knee = processor.knee({name: value.double().cpu() for name, value in found.parameters.items()})
        gain = 1 - found.wet + found.wet * knee_gain(envelope, knee)[0].numpy()
    x = linear_axis("level in, dB", LOWEST_DB, HIGHEST_DB, ticks=4)
    y = linear_axis("level out, dB", LOWEST_DB, HIGHEST_DB, ticks=4)
    counts = found.heard.levels
    behind = y.low + 0.7 * (y.high - y.low) * counts / max(counts.max(), 1)
    marks = (
        Mark("area", "behind", (LEVELS_DB[:-1] + LEVELS_DB[1:]) / 2, behind, "how often"),
        Mark("line", "unity", (LOWEST_DB, HIGHEST_DB), (LOWEST_DB, HIGHEST_DB)),
        Mark("line", "curve", levels, levels + decibels(gain), "level out"),
    )
    return Chart("Level out over level in", x, y, marks)
