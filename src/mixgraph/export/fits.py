"""One processor of a result as the plugins of other programs have it: bells and shelves, attack and release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import soxr
import torch

from mixgraph.dsp.ballistics import AttackRelease, StaticCurve, attack_release, fit_static_curve
from mixgraph.dsp.bells import Strip, fit_strip, log_curve_db
from mixgraph.dsp.dynamics import knee_gain
from mixgraph.export.responses import processor_of, response_of
from mixgraph.processors.base import Parameters
from mixgraph.processors.knee import KneeProcessor
from mixgraph.result.result import Result

FINE: Final = 1 << 15  # FFT size: several bins to a band even at the lowest frequency
LEVELS_DB: Final = np.arange(-60.0, 0.5, 0.5)
DEEPEST_DB: Final = -60.0  # below it a gate is shut


@dataclass(frozen=True)
class DynamicsFit:
    """A compressor or gate with its dry share folded into the static curve."""

    curve: StaticCurve
    times: AttackRelease


def fit_equalizer(result: Result, id: str) -> Strip:
    """Up to four bells and shelves for the magnitude of a linear processor, dry share included, all bands alike.

    `residual_db` is the RMS over log-spaced frequencies; `ValueError` for a processor that is not linear.
    """
    response = response_of(result, id)
    if response is None:
        raise ValueError(f"{id} is not linear")
    taps = response.taps[[0, 1], [0, 1]]
    size = max(FINE, 1 << taps.shape[-1].bit_length())
    gain = np.sqrt(np.mean(np.square(np.abs(np.fft.rfft(taps, size))), axis=0))
    hz, curve_db = log_curve_db(gain, result.config.audio.sample_rate)
    return fit_strip(hz, curve_db, np.ones(len(hz)))


def fit_dynamics(result: Result, id: str, *, levels_db: np.ndarray = LEVELS_DB) -> DynamicsFit:
    """A fully wet curve over levels of the mean square, and times; the error is an RMS over `levels_db`."""
    kind, wet = result.graph.node(id).type, result.bank.dry_wet()[id]
    processor, parameters = result.processors[kind], result.bank.select(kind, [id])
    if not isinstance(processor, KneeProcessor):
        raise ValueError(f"{id} is neither compressor nor gate")
    with torch.no_grad():
        knee = processor.knee({name: value.double().cpu() for name, value in parameters.items()})
        gain = 1 - wet + wet * knee_gain(torch.from_numpy(10 ** (levels_db / 10))[None], knee)[0].numpy()
        physical = {name: float(value[0]) for name, value in processor.physical(parameters).items()}
    gain_db = np.maximum(20 * np.log10(np.maximum(gain, 1e-9)), DEEPEST_DB)
    start = physical["threshold_db"], min(physical["ratio"], 90.0), physical["knee_db"]
    curve = fit_static_curve(levels_db, gain_db, processor.sign, start)
    return DynamicsFit(curve, attack_release(physical["smoothing_ms"]))


@torch.no_grad()
def gain_error_db(result: Result, id: str, signal: np.ndarray, wanted: int) -> float:
    """How far the gain of a compressor or gate is off at another sample rate, on what it hears `(2, samples)`.

    An RMS in dB, weighted by energy: time constants of a few samples smooth less of a waveform at a higher rate.
    """
    processor, wet = processor_of(result, id), result.bank.dry_wet()[id]
    if not isinstance(processor, KneeProcessor):
        raise ValueError(f"{id} is neither compressor nor gate")
    rate, kind = processor.sample_rate, result.graph.node(id).type
    parameters = {name: value.double().cpu() for name, value in result.bank.select(kind, [id]).items()}
    other = type(processor)(wanted, processor.config)
    moved = other.raw(processor.physical(parameters))
    ours = _gain_db(processor, parameters, signal, wet)
    theirs = _gain_db(other, moved, soxr.resample(signal.T, rate, wanted, quality="VHQ").T, wet)
    at_ours = np.interp(np.arange(len(ours)) / rate, np.arange(len(theirs)) / wanted, theirs)
    energy = np.square(signal, dtype=np.float64).mean(0)
    return float(np.sqrt((energy * np.square(at_ours - ours)).sum() / max(energy.sum(), 1e-30)))


def _gain_db(processor: KneeProcessor, parameters: Parameters, signal: np.ndarray, wet: float) -> np.ndarray:
    """The gain over time, dry share included."""
    heard = torch.from_numpy(np.ascontiguousarray(signal, dtype=np.float64))[None]
    return 20 * torch.log10(1 - wet + wet * processor.gain(heard, parameters)[0, 0]).numpy()
