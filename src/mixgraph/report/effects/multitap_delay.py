"""Multitap delay: its taps in time and level."""

from __future__ import annotations

import numpy as np
import torch

from mixgraph.dsp.units import number
from mixgraph.processors.multitap_delay import MultitapDelay
from mixgraph.report.charts import Chart, Mark, linear_axis
from mixgraph.report.effects.base import Description, Found, mixed

SIDES = ("left", "right")
MENTIONED = 3
FAINTEST_DB = -50.0


def describe(found: Found, processor: MultitapDelay) -> Description:
    """The strongest taps, their levels against what goes into the delay."""
    with torch.no_grad():
        taps = processor.impulse_response(found.parameters).taps[0].double()
    energy = taps.unflatten(-1, (processor.slots, processor.slot)).square().sum(-1)
    level_db = (10 * torch.log10(energy.clamp(min=1e-12))).cpu().numpy()
    times_ms = found.physical["tap_time_ms"].double().clamp(min=0).cpu().numpy()
    order = np.argsort(-level_db, axis=None, kind="stable")[:MENTIONED]
    strongest = [np.unravel_index(index, level_db.shape) for index in order]
    texts = [
        f"{number(float(times_ms[tap]), 0)} ms {SIDES[tap[0]]} {number(float(level_db[tap]), sign=True)} dB"
        for tap in strongest
    ]
    return Description(
        words=f"delay {', '.join(texts)}{mixed(found.wet)}",
        settings=(("Taps", str(level_db.size)), *((f"Tap {rank}", text) for rank, text in enumerate(texts, 1))),
        charts=(_chart(processor, times_ms, level_db),),
    )


def _chart(processor: MultitapDelay, times_ms: np.ndarray, level_db: np.ndarray) -> Chart:
    x = linear_axis("after, ms", 0, 1_000 * processor.config.delay_seconds, ticks=4)
    y = linear_axis("level, dB", FAINTEST_DB, max(0.0, float(level_db.max())), ticks=4)
    marks = tuple(
        Mark("stems", side, times_ms[channel], np.maximum(level_db[channel], FAINTEST_DB), side)
        for channel, side in enumerate(SIDES)
    )
    return Chart("Delay taps", x, y, marks)
