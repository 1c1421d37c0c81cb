"""The audio loss L_a: multi-resolution mel spectra of left, right, mid and side (arXiv 2406.01049, section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from mixgraph.config import LossConfig
from mixgraph.dsp.convolution import filter_short
from mixgraph.dsp.mel import Bands, mel_bank
from mixgraph.dsp.spectrum import HOPS_PER_WINDOW, stereo_mel
from mixgraph.dsp.weighting import a_weighting_taps
from mixgraph.errors import ConfigError

Convergence = Literal["target", "published"]


@dataclass(frozen=True)
class Features:
    """What the loss compares, one entry per resolution, on left, right, mid, side.

    `mel` and `log_mel` are `(4, frame, band)`, `norm` the Frobenius norms `(4,)` of `mel`.
    """

    mel: tuple[Tensor, ...]
    log_mel: tuple[Tensor, ...]
    norm: tuple[Tensor, ...]


@dataclass(frozen=True)
class LossTerms:
    """Scalars: the loss of left and right (mean), of mid, of side, and their weighted sum."""

    total: Tensor
    left_right: Tensor
    mid: Tensor
    side: Tensor


class MixLoss:
    """Compares a mix with its target; arguments are keyword-only because swapping them changes the loss."""

    def __init__(self, config: LossConfig, sample_rate: int) -> None:
        for size in config.fft_sizes:
            if size % HOPS_PER_WINDOW or size <= 0:
                raise ConfigError(
                    f"fft_sizes: {size} is not a positive multiple of {HOPS_PER_WINDOW}; try a power of two"
                )
        self.config = config
        self.sample_rate = sample_rate
        self._constants: dict[tuple[torch.dtype, torch.device], _Constants] = {}

    def features(self, signal: Tensor) -> Features:
        """Spectra of a stereo signal `(2, time)`, its warm-up left out; `ConfigError` if too little remains."""
        signal = signal[:, round(self.config.warm_up_seconds * self.sample_rate) :]
        self._check_length(signal.shape[-1])
        constants = self._constants_like(signal)
        weighted = filter_short(signal, constants.taps)
        mel = tuple(
            stereo_mel(weighted, window, bands, self.config.power_floor)
            for window, bands in zip(constants.windows, constants.banks, strict=True)
        )
        return Features(
            mel=mel,
            log_mel=tuple(bands.log() for bands in mel),
            norm=tuple(torch.linalg.vector_norm(bands, dim=(-2, -1)) for bands in mel),
        )

    def compare(self, *, estimate: Features, target: Features, convergence: Convergence | None = None) -> LossTerms:
        """The loss of `estimate`; `convergence` names the norm that divides (default: the config's)."""
        divisor = {"target": target, "published": estimate}[convergence or self.config.convergence]
        return self._terms(*_distances(estimate, target), torch.stack(divisor.norm))

    def both(self, *, estimate: Features, target: Features) -> dict[str, LossTerms]:
        """The loss under both conventions, `target` and `published`."""
        distances = _distances(estimate, target)
        return {
            "target": self._terms(*distances, torch.stack(target.norm)),
            "published": self._terms(*distances, torch.stack(estimate.norm)),
        }

    def _terms(self, log_distance: Tensor, difference: Tensor, norm: Tensor) -> LossTerms:
        left, right, mid, side = (log_distance + difference / norm).mean(0)
        left_right = (left + right) / 2
        config = self.config
        total = config.left_right_weight * left_right + config.mid_weight * mid + config.side_weight * side
        return LossTerms(total=total, left_right=left_right, mid=mid, side=side)

    def _check_length(self, samples: int) -> None:
        shortest = max(self.config.fft_sizes) // 2 + 1
        if samples < shortest:
            raise ConfigError(
                f"segment_seconds: {samples} samples follow the warm-up of {self.config.warm_up_seconds} s, "
                f"but the loss needs {shortest}; use longer segments or a smaller warm_up_seconds"
            )

    def _constants_like(self, signal: Tensor) -> _Constants:
        key = signal.dtype, signal.device
        if key not in self._constants:
            # A tensor born in inference mode could never again take part in a backward pass.
            with torch.inference_mode(False):
                self._constants[key] = _Constants.make(self.config, self.sample_rate, signal.dtype, signal.device)
        return self._constants[key]


@dataclass(frozen=True)
class _Constants:
    """A-weighting `(taps,)`, and per resolution the window `(size,)` and the mel bands."""

    taps: Tensor
    windows: tuple[Tensor, ...]
    banks: tuple[Bands, ...]

    @classmethod
    def make(cls, config: LossConfig, sample_rate: int, dtype: torch.dtype, device: torch.device) -> _Constants:
        def tensor(values: np.ndarray) -> Tensor:
            return torch.tensor(values, dtype=dtype, device=device)

        banks = [mel_bank(sample_rate, size, config.mel_bands) for size in config.fft_sizes]
        return cls(
            taps=tensor(a_weighting_taps(sample_rate, config.weighting_taps)),
            windows=tuple(torch.hann_window(size, dtype=dtype, device=device) for size in config.fft_sizes),
            banks=tuple(Bands.of(bank, dtype, device) for bank in banks),
        )


def _distances(estimate: Features, target: Features) -> tuple[Tensor, Tensor]:
    """Mean absolute log difference and Frobenius norm of the difference, `(resolution, 4)` each."""
    log_distance = [(a - b).abs().mean((-2, -1)) for a, b in zip(estimate.log_mel, target.log_mel, strict=True)]
    difference = [torch.linalg.vector_norm(a - b, dim=(-2, -1)) for a, b in zip(estimate.mel, target.mel, strict=True)]
    return torch.stack(log_distance), torch.stack(difference)
