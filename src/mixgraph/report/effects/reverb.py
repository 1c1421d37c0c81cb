"""Reverb: how long it rings at each frequency, and how loud it begins."""

from __future__ import annotations

import math

import numpy as np
import torch

from mixgraph.dsp.units import number, seconds_text
from mixgraph.processors.reverb import BANDS_HZ, Reverb
from mixgraph.report.charts import Chart, Mark, frequency_axis, linear_axis
from mixgraph.report.effects.base import Description, Found, mixed

NAMES = ("mid", "side")
EARLY_SECONDS = 0.08  # as in the clarity index C80 (ISO 3382-1)
ROOM_SECONDS, HALL_SECONDS = 0.7, 2.2
BRIGHT, DARK = 0.8, 0.45  # decay time of the highs over that of the mids
LONGEST_SECONDS = 6.0
LOWEST_HZ, STEP_OCTAVES = 60.0, 1 / 6  # of the charts


def describe(found: Found, processor: Reverb) -> Description:
    """Decay times by band, and what an engineer would reach for to get it."""
    t60_s = found.physical["t60_s"].double().cpu().numpy()
    initial_db = found.physical["initial_db"].double().cpu().numpy()
    hz = np.arange(t60_s.shape[1]) * processor.sample_rate / processor.config.reverb_fft_size
    times = decay_seconds(t60_s, hz)
    early = _early_share(found, processor)
    side_db = float((initial_db[1] - initial_db[0]).mean())
    colour = _colour(times)
    return Description(
        words=f"{_likeness(times['mid'], colour)} reverb {seconds_text(times['mid'])}{colour}{mixed(found.wet)}",
        settings=(
            *((f"T60 {name}", seconds_text(seconds)) for name, seconds in times.items()),
            ("Early energy, first 80 ms", f"{number(100 * early, 0)} %"),
            ("Side against mid", f"{number(side_db, sign=True)} dB"),
            ("Ends after", seconds_text(processor.config.reverb_seconds)),
        ),
        charts=_charts(hz, t60_s, initial_db),
    )


def decay_seconds(t60_s: np.ndarray, hz: np.ndarray) -> dict[str, float]:
    """T60 in bands, of mid and side `(2, bin)` together: rates of decay average, times do not."""
    inside = {name: (hz >= low) & (hz < high) for name, (low, high) in BANDS_HZ.items()}
    return {name: float(1 / np.mean(1 / t60_s[:, mask])) for name, mask in inside.items() if mask.any()}


def _colour(times: dict[str, float]) -> str:
    ratio = times["high"] / times["mid"] if "high" in times else math.nan
    return ", bright" if ratio >= BRIGHT else ", dark" if ratio <= DARK else ""


def _likeness(seconds: float, colour: str) -> str:
    if seconds < ROOM_SECONDS:
        return "room-like"
    return "plate-like" if colour == ", bright" and seconds < HALL_SECONDS else "hall-like"


def _early_share(found: Found, processor: Reverb) -> float:
    with torch.no_grad():
        energy = processor.impulse_response(found.parameters).taps[0].double().square().sum(0)
    return float(energy[: round(EARLY_SECONDS * processor.sample_rate)].sum() / energy.sum().clamp(min=1e-12))


def _charts(hz: np.ndarray, t60_s: np.ndarray, initial_db: np.ndarray) -> tuple[Chart, ...]:
    bands, inside = _third_octaves(hz)
    rates = np.stack([np.mean(1 / t60_s[:, mask], axis=1) for mask in inside], axis=1)
    starts_db = np.stack([initial_db[:, mask].mean(1) for mask in inside], axis=1)
    times = np.minimum(1 / rates, LONGEST_SECONDS)
    reach = max(3.0, float(np.abs(starts_db).max()))
    x = frequency_axis(LOWEST_HZ, float(hz[-1]))

    def marks(curves: np.ndarray) -> tuple[Mark, ...]:
        return tuple(Mark("line", name, bands, curve, name) for name, curve in zip(NAMES, curves, strict=True))

    return (
        Chart("Decay time over frequency", x, linear_axis("T60, s", 0, float(times.max()), ticks=4), marks(times)),
        Chart("Where it begins", x, linear_axis("early energy, dB", -reach, reach, ticks=4), marks(starts_db)),
    )


def _third_octaves(hz: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Centres, and which bins lie around each; those without a bin are left out."""
    centres = LOWEST_HZ * 2 ** np.arange(0, np.log2(hz[-1] / LOWEST_HZ), STEP_OCTAVES)
    masks = [np.abs(np.log2(np.maximum(hz, 1.0) / centre)) <= 1 / 6 for centre in centres]
    found = [index for index, mask in enumerate(masks) if mask.any()]
    return centres[found], [masks[index] for index in found]
