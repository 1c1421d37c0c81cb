"""What a common channel strip has for our processors: EQ bands, a compressor, a gate, a fader with balance."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from mixgraph.export.fits import fit_dynamics, fit_equalizer
from mixgraph.export.responses import processor_of, response_of
from mixgraph.graph.strands import Strand
from mixgraph.processors.base import DynamicsProcessor
from mixgraph.processors.equalizer import Equalizer
from mixgraph.processors.gain_panning import GainPanning
from mixgraph.processors.knee import KneeProcessor
from mixgraph.result.result import Result

SINE_PEAK_DB: Final = 10 * math.log10(2)
"""How far the peak of a sine lies above its mean square: our thresholds are of that, plugins' mostly of peaks."""

RANGE_DB: Final = -60.0
SHAPES: Final = {"bell": "bell", "low_shelf": "lowShelf", "high_shelf": "highShelf"}
Values = dict[str, tuple[float, str]]


@dataclass(frozen=True)
class Device:
    """A device of DAWproject: values with their units, in the order of its schema, bands, and how near it comes."""

    kind: str
    values: Values
    how: str = ""
    error_db: float = 0.0
    bands: tuple[Device, ...] = field(default=())


def devices_of(result: Result, id: str) -> tuple[Device, ...]:
    """The built-in device nearest to a processor; none where there is none."""
    match processor_of(result, id):
        case Equalizer():
            strip = fit_equalizer(result, id)
            bands = tuple(
                Device(
                    SHAPES[band.shape],
                    {"Freq": (band.hz, "hertz"), "Gain": (band.gain_db, "decibel"), "Q": (band.q, "linear")},
                )
                for band in strip.bands
            )
            how = f"{len(bands)} bands; RMS over frequencies, 12 to the octave"
            return (Device("Equalizer", {"OutputGain": (strip.level_db, "decibel")}, how, strip.residual_db, bands),)
        case KneeProcessor() as processor:
            fit = fit_dynamics(result, id)
            times = fit.times
            values: Values = {"Attack": (times.attack_ms / 1000, "seconds")}
            if processor.sign == -1:
                values["Range"] = (RANGE_DB, "decibel")
            # Studios' exchange format writes the ratio as the share of decibels that is taken away.
            values["Ratio"] = (100 * (1 - 1 / fit.curve.ratio), "percent")
            values["Release"] = (times.release_ms / 1000, "seconds")
            values["Threshold"] = (fit.curve.threshold_db + SINE_PEAK_DB, "decibel")
            how = "static curve without the knee's width, RMS over levels; attack and release of the same smoothing"
            return (Device("Compressor" if processor.sign == 1 else "NoiseGate", values, how, fit.curve.error_db),)
    return ()


def balance(result: Result, id: str) -> tuple[float, float] | None:
    """Fader and balance (0 left, 1 right) of a gain, where the balance turns the far side down linearly."""
    response = response_of(result, id)
    if not isinstance(processor_of(result, id), GainPanning) or response is None:
        return None
    left, right = np.diagonal(response.taps[..., 0]).tolist()
    volume = max(left, right)
    return volume, 0.5 if volume == 0 else right / (2 * left) if left > right else 1 - left / (2 * right)


def live_from(result: Result, row: Strand) -> int:
    """The first processor of a strand from which on all can be devices; the fader comes last, behind all dynamics."""
    first = 0
    for index, id in enumerate(row.processors):
        rest = [processor_of(result, other) for other in row.processors[index + 1 :]]
        match processor_of(result, id):
            case Equalizer() | KneeProcessor():
                continue
            case GainPanning() if not any(isinstance(other, GainPanning | DynamicsProcessor) for other in rest):
                continue
        first = index + 1
    # A strand that begins with a processor takes a sum, which only that processor's output says.
    return max(first, 1) if row.processors and row.processors[0] == row.head else first
