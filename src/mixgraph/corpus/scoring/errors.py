"""How far the settings of a found processor are from the true ones, in what they do rather than in raw parameters.

What dry/wet and parameters of a linear processor do together counts as one: a gain of 6 dB at half dry/wet and one of
3.5 dB do the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, final

import torch
from torch import Tensor

from mixgraph.dsp.dynamics import knee_gain
from mixgraph.dsp.fir import zero_phase_fir
from mixgraph.dsp.units import DB_PER_NEPER
from mixgraph.processors.bank import DRY_WET
from mixgraph.processors.knee import KneeProcessor
from mixgraph.result.result import Result

LOWEST_HZ: Final = 30.0
HIGHEST_SHARE: Final = 0.9
"""Equalisers are compared up to this share of half the sample rate."""
STEPS_PER_OCTAVE: Final = 12
LEVELS_DB: Final = (-50.0, 0.0)
AUDIBLE_ECHO_DB: Final = -20.0
"""Echoes count that are no softer than this beside the strongest one."""
MID_HZ: Final = (250.0, 4_000.0)
FAINTEST: Final = 1e-3


@final
@dataclass(frozen=True)
class Heard:
    """One processor of a result, in float64: `raw` parameters with a node axis of one, and the dry/wet weight."""

    processor: Any
    raw: Mapping[str, Tensor]
    dry_wet: float

    @classmethod
    def of(cls, result: Result, node_id: str) -> Heard:
        """The processor with this id."""
        kind = result.graph.node(node_id).type
        raw = {name: value.detach().double() for name, value in result.bank.select(kind, [node_id]).items()}
        return cls(result.processors[kind], raw, torch.sigmoid(raw[DRY_WET]).item())

    @cached_property
    def physical(self) -> dict[str, Tensor]:
        """Values without a node axis."""
        return {name: value[0] for name, value in self.processor.physical(self.raw).items()}

    def gain_db(self, wet: Tensor) -> Tensor:
        """A wet gain, which may be complex, as what it is beside the dry signal, in dB."""
        return 20 * torch.log10((self.dry_wet * wet + 1 - self.dry_wet).abs().clamp(min=FAINTEST))


def setting_errors(found: Heard, true: Heard) -> dict[str, float]:
    """Distances between two processors of one type, by names that end in their units; all are 0 or more."""
    return MEASURES.get(true.processor.name, _each_value)(found, true)


def _equalizer(found: Heard, true: Heard) -> dict[str, float]:
    """The whole curve, its shape (the curve without its mean), and where it is farthest from its mean."""
    top = HIGHEST_SHARE / 2 * min(heard.processor.sample_rate for heard in (found, true))
    octaves = torch.arange(0, math.log2(top / LOWEST_HZ), 1 / STEPS_PER_OCTAVE, dtype=torch.float64)
    hz = LOWEST_HZ * 2**octaves
    curves = [heard.gain_db(_response(heard, hz)) for heard in (found, true)]
    shapes = [curve - curve.mean() for curve in curves]
    peaks_hz = [hz[shape.abs().argmax()].item() for shape in shapes]
    return {
        "curve_db": _rms(curves[0] - curves[1]),
        "shape_db": _rms(shapes[0] - shapes[1]),
        "peak_hz": abs(peaks_hz[0] - peaks_hz[1]),
    }


def _response(heard: Heard, hz: Tensor) -> Tensor:
    """The complex frequency response of an equaliser at some frequencies."""
    response = heard.processor.impulse_response(heard.raw)
    taps = response.taps[0, 0]
    radians = 2 * math.pi / heard.processor.sample_rate * hz[:, None] * (torch.arange(len(taps)) - response.origin)
    return (taps * torch.exp(-1j * radians)).sum(-1)


def _gain_panning(found: Heard, true: Heard) -> dict[str, float]:
    """The level of both channels together, and the difference between them."""
    left, right = (found.gain_db(_linear(found, "gain_db")) - true.gain_db(_linear(true, "gain_db"))).tolist()
    return {"gain_db": abs(left + right) / 2, "pan_db": abs(left - right)}


def _stereo_imager(found: Heard, true: Heard) -> dict[str, float]:
    sides = [heard.gain_db(_linear(heard, "side_gain_db")).item() for heard in (found, true)]
    return {"side_db": abs(sides[0] - sides[1])}


def _dynamics(found: Heard, true: Heard) -> dict[str, float]:
    """Each setting, and the gain that it makes of steady levels."""
    curves = [heard.gain_db(_static_gain(heard)) for heard in (found, true)]
    return {"curve_db": _rms(curves[0] - curves[1])} | _each_value(found, true)


def _static_gain(heard: Heard) -> Tensor:
    processor: KneeProcessor = heard.processor
    energies = 10 ** (torch.linspace(*LEVELS_DB, 101, dtype=torch.float64) / 10)
    return knee_gain(energies[None], processor.knee(heard.raw))[0]


def _multitap_delay(found: Heard, true: Heard) -> dict[str, float]:
    """From each true echo to the nearest found one, in the mean by the energy of the true ones; sides do not count."""
    (found_ms, _), (true_ms, energies) = _echoes(found), _echoes(true)
    nearest = (true_ms[:, None] - found_ms).abs().amin(1)
    return {"time_ms": float((nearest * energies).sum() / energies.sum())} | _dry_wet(found, true)


def _echoes(heard: Heard) -> tuple[Tensor, Tensor]:
    """Times and energies of the audible echoes."""
    energies = zero_phase_fir(heard.physical["color_db"] / DB_PER_NEPER).square().sum(-1).flatten()
    audible = energies >= energies.max() * 10 ** (AUDIBLE_ECHO_DB / 10)
    return heard.physical["tap_time_ms"].flatten()[audible], energies[audible]


def _reverb(found: Heard, true: Heard) -> dict[str, float]:
    """T60 in the middle of the spectrum, by the mean rate of decay there, of the mid signal."""
    times = []
    for heard in (found, true):
        t60 = heard.physical["t60_s"][0]
        hz = torch.linspace(0, heard.processor.sample_rate / 2, len(t60))
        times.append(1 / (1 / t60[(hz >= MID_HZ[0]) & (hz <= MID_HZ[1])]).mean().item())
    return {"t60_s": abs(times[0] - times[1])} | _dry_wet(found, true)


def _each_value(found: Heard, true: Heard) -> dict[str, float]:
    """The mean distance of each physical value, and that of the dry/wet weights."""
    values = {name: (found.physical[name] - value).abs().mean().item() for name, value in true.physical.items()}
    return values | _dry_wet(found, true)


def _dry_wet(found: Heard, true: Heard) -> dict[str, float]:
    return {"dry_wet": abs(found.dry_wet - true.dry_wet)}


def _linear(heard: Heard, name: str) -> Tensor:
    return torch.exp(heard.physical[name] / DB_PER_NEPER)


def _rms(values: Tensor) -> float:
    return values.square().mean().sqrt().item()


MEASURES: Final[Mapping[str, Callable[[Heard, Heard], dict[str, float]]]] = {
    "equalizer": _equalizer,
    "compressor": _dynamics,
    "noise_gate": _dynamics,
    "stereo_imager": _stereo_imager,
    "gain_panning": _gain_panning,
    "multitap_delay": _multitap_delay,
    "reverb": _reverb,
}
