"""Equaliser: its curve with the share of dry signal in it, in words as bells and shelves."""

from __future__ import annotations

import numpy as np
import torch

from mixgraph.dsp.bells import Strip, fit_strip, log_curve_db
from mixgraph.dsp.units import number
from mixgraph.processors.base import ConvolutionProcessor
from mixgraph.report.charts import Chart, Mark, frequency_axis, linear_axis
from mixgraph.report.effects.base import Description, Found, mixed
from mixgraph.report.hearing import third_octaves_db

FINE = 1 << 15  # FFT size: several bins to a band even at the lowest frequency
LOUD_DB, FAINT_DB, FAINT_WEIGHT = -30.0, -60.0, 0.03


def describe(found: Found, processor: ConvolutionProcessor) -> Description:
    """The curve as heard, dry share included."""
    hz, curve_db = heard_curve(found, processor)
    loudness_db = third_octaves_db(found.heard, processor.sample_rate, hz)
    strip = fit_strip(hz, curve_db, _weights(loudness_db))
    return Description(
        words=f"EQ {strip}",
        settings=(
            *((f"Band {index}", str(band)) for index, band in enumerate(strip.bands, 1)),
            ("Level", f"{number(strip.level_db, sign=True)} dB"),
            ("Left over by these bands", f"{number(strip.residual_db)} dB RMS"),
        ),
        charts=(_chart(hz, curve_db, strip, loudness_db),),
    )


def describe_response(found: Found, processor: ConvolutionProcessor) -> Description:
    """Any other linear effect: its own summary, and its magnitude."""
    hz, curve_db = heard_curve(found, processor)
    summary = processor.summary(found.physical)
    return Description(f"{summary}{mixed(found.wet)}", (("Settings", summary),), (_chart(hz, curve_db),))


def heard_curve(found: Found, processor: ConvolutionProcessor) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies and the magnitude (dB) of (1 - w) + w H over both channels, in means over `SMOOTH` of an octave."""
    with torch.no_grad():
        response = processor.impulse_response(found.parameters)
    taps = response.taps[0].double().cpu().numpy()
    size = max(FINE, 1 << taps.shape[-1].bit_length())
    wet = np.fft.rfft(np.roll(np.pad(taps, ((0, 0), (0, size - taps.shape[-1]))), -response.origin, axis=1))
    gain = np.sqrt(np.mean(np.square(np.abs(1 - found.wet + found.wet * wet)), axis=0))
    return log_curve_db(gain, processor.sample_rate)


def _weights(loudness_db: np.ndarray) -> np.ndarray:
    """What the track does not contain cannot say how it should sound."""
    return np.interp(loudness_db, (FAINT_DB, LOUD_DB), (FAINT_WEIGHT, 1.0))


def _chart(
    hz: np.ndarray, curve_db: np.ndarray, strip: Strip | None = None, loudness_db: np.ndarray | None = None
) -> Chart:
    reach = max(6.0, min(30.0, float(np.abs(curve_db).max())))
    y = linear_axis("gain, dB", -reach, reach, ticks=4)
    marks = [Mark("line", "curve", hz, curve_db, "equaliser" if strip else "")]
    if strip:
        marks.append(Mark("line", "words", hz, strip.curve_db(hz), "in words"))
    if loudness_db is not None:
        behind = y.low + (y.high - y.low) * np.clip(1 + loudness_db / 60, 0, 1) * 0.6
        marks.insert(0, Mark("area", "behind", hz, behind, "what comes in"))
    return Chart("Gain over frequency", frequency_axis(hz[0], hz[-1]), y, tuple(marks))
