"""Reverb: a fixed stereo noise shaped by a decaying mask (paper, section 3)."""

from __future__ import annotations

import math
from typing import Final, final

import torch
from torch import Tensor
from torch.nn.functional import softplus

from mixgraph.dsp.fir import unit_energy
from mixgraph.dsp.noise import decaying_noise, noise_spectrogram
from mixgraph.dsp.stereo import mid_side_to_left_right
from mixgraph.dsp.units import DB_PER_NEPER, inverse_softplus, seconds_text
from mixgraph.errors import ConfigError
from mixgraph.processors.base import PROCESSORS, ConvolutionProcessor, ImpulseResponse, Parameters, ParameterSpec

INITIAL: Final = "initial_log_magnitude"
DECAY: Final = "decay_log_magnitude"
MASK_SCALE: Final = 8
BANDS_HZ: Final = {"low": (0, 250), "mid": (250, 4_000), "high": (4_000, math.inf)}


@final
@PROCESSORS.register("reverb")
class Reverb(ConvolutionProcessor):
    """Parameters are mid and side (axis of 2); the convolution is left and right."""

    name = "reverb"
    letter = "r"

    @property
    def taps(self) -> int:
        """Samples in the impulse response."""
        samples = round(self.config.reverb_seconds * self.sample_rate)
        if samples <= self.config.reverb_fft_size:
            raise ConfigError(
                f"reverb_seconds = {self.config.reverb_seconds}: {samples} samples do not fill one frame "
                f"of reverb_fft_size = {self.config.reverb_fft_size}; raise the first or lower the second"
            )
        return samples

    @property
    def parameters(self) -> tuple[ParameterSpec, ...]:
        shape = (2, self.config.reverb_fft_size // 2 + 1)
        return ParameterSpec(INITIAL, shape), ParameterSpec(DECAY, shape)

    @property
    def extent(self) -> tuple[int, int]:
        return 0, self.taps - 1

    def impulse_response(self, parameters: Parameters) -> ImpulseResponse:
        log_start = parameters[INITIAL] / MASK_SCALE
        decay = softplus(parameters[DECAY]) / MASK_SCALE
        seed, fft_size = self.config.reverb_noise_seed, self.config.reverb_fft_size
        noise = noise_spectrogram(seed, self.taps, fft_size, decay.device, decay.dtype)
        return ImpulseResponse(unit_energy(mid_side_to_left_right(decaying_noise(log_start, decay, noise, self.taps))))

    def physical(self, parameters: Parameters) -> dict[str, Tensor]:
        return {
            "initial_db": DB_PER_NEPER / MASK_SCALE * parameters[INITIAL],
            "t60_s": self._t60_scale / softplus(parameters[DECAY]),
        }

    def raw(self, physical: Parameters) -> dict[str, Tensor]:
        t60 = physical["t60_s"]
        return {
            INITIAL: physical["initial_db"] * (MASK_SCALE / DB_PER_NEPER),
            DECAY: inverse_softplus((self._t60_scale / t60).clamp(min=torch.finfo(t60.dtype).tiny)),
        }

    def summary(self, physical: Parameters) -> str:
        t60, initial = physical["t60_s"].detach().cpu(), physical["initial_db"].detach().cpu()
        hz = torch.arange(t60.shape[-1]) * (self.sample_rate / self.config.reverb_fft_size)
        inside = {name: (hz >= low) & (hz < high) for name, (low, high) in BANDS_HZ.items()}
        # Rates of decay average, times do not.
        times = [
            f"{seconds_text(float(1 / (1 / t60[:, mask]).mean()))} {name}"
            for name, mask in inside.items()
            if mask.any()
        ]
        side_db = float((initial[1] - initial[0]).mean())
        return f"T60 {', '.join(times)}; side {side_db:+.1f} dB"

    @property
    def _t60_scale(self) -> float:
        """T60 in seconds of a mask whose softplus is 1."""
        hop_s = self.config.reverb_fft_size // 2 / self.sample_rate
        return MASK_SCALE * math.log(1000) * hop_s
