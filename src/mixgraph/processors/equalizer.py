"""Equaliser: a zero-phase FIR from a log magnitude, the same on both channels (paper, section 3)."""

from __future__ import annotations

from typing import Final, final

import torch
from torch import Tensor

from mixgraph.dsp.fir import zero_phase_fir
from mixgraph.dsp.units import DB_PER_NEPER, hz_text
from mixgraph.processors.base import PROCESSORS, ConvolutionProcessor, ImpulseResponse, Parameters, ParameterSpec

LOG_MAGNITUDE: Final = "log_magnitude"
AUDIBLE_DB: Final = 0.5
MENTIONED: Final = 4


@final
@PROCESSORS.register("equalizer")
class Equalizer(ConvolutionProcessor):
    """Bin k of the magnitude lies at k * sample_rate / (2 * bins - 1) Hz; the output is aligned with the input."""

    name = "equalizer"
    letter = "e"

    @property
    def parameters(self) -> tuple[ParameterSpec, ...]:
        return (ParameterSpec(LOG_MAGNITUDE, (self.config.equalizer_bins,)),)

    @property
    def extent(self) -> tuple[int, int]:
        return self.config.equalizer_bins - 1, self.config.equalizer_bins - 1

    def impulse_response(self, parameters: Parameters) -> ImpulseResponse:
        taps = zero_phase_fir(parameters[LOG_MAGNITUDE])
        return ImpulseResponse(taps[:, None], origin=taps.shape[-1] // 2)

    def physical(self, parameters: Parameters) -> dict[str, Tensor]:
        return {"magnitude_db": DB_PER_NEPER * parameters[LOG_MAGNITUDE]}

    def raw(self, physical: Parameters) -> dict[str, Tensor]:
        return {LOG_MAGNITUDE: physical["magnitude_db"] / DB_PER_NEPER}

    def summary(self, physical: Parameters) -> str:
        bands = self._third_octaves_db(physical["magnitude_db"])
        levels = [0.0, *(level for _, level in bands), 0.0]
        peaks = [
            (hz, level)
            for (hz, level), before, after in zip(bands, levels, levels[2:], strict=False)
            if abs(level) >= AUDIBLE_DB and level * level >= max(level * before, level * after)
        ]
        strongest = sorted(peaks, key=lambda peak: -abs(peak[1]))[:MENTIONED]
        if not strongest:
            return f"flat within {AUDIBLE_DB} dB"
        return ", ".join(f"{level:+.1f} dB at {hz_text(hz)}" for hz, level in sorted(strongest))

    def _third_octaves_db(self, magnitude_db: Tensor) -> list[tuple[float, float]]:
        hz = torch.arange(len(magnitude_db)) * (self.sample_rate / (2 * len(magnitude_db) - 1))
        centres = [1000 * 2 ** (third / 3) for third in range(-17, 14)]
        inside = [(centre, (hz > centre / 2 ** (1 / 6)) & (hz <= centre * 2 ** (1 / 6))) for centre in centres]
        levels = magnitude_db.detach().cpu()
        return [(centre, float(levels[mask].mean())) for centre, mask in inside if mask.any()]
