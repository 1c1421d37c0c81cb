"""Triangular mel bands with Slaney's scale and normalisation (Auditory Toolbox, 1998; the default of librosa)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

LINEAR_HZ_PER_MEL = 200 / 3
KNEE_HZ = 1_000.0
KNEE_MEL = KNEE_HZ / LINEAR_HZ_PER_MEL
MELS_PER_LOG = 27 / np.log(6.4)


def mel_from_hz(frequency_hz: float) -> float:
    """Slaney mel: linear below 1 kHz, logarithmic above."""
    if frequency_hz < KNEE_HZ:
        return frequency_hz / LINEAR_HZ_PER_MEL
    return KNEE_MEL + MELS_PER_LOG * np.log(frequency_hz / KNEE_HZ)


def hz_from_mel(mel: np.ndarray) -> np.ndarray:
    """Inverse of `mel_from_hz`, elementwise."""
    return np.where(mel < KNEE_MEL, mel * LINEAR_HZ_PER_MEL, KNEE_HZ * np.exp((mel - KNEE_MEL) / MELS_PER_LOG))


@lru_cache(maxsize=32)
def mel_bank(sample_rate: int, fft_size: int, bands: int) -> np.ndarray:
    """Weights `(bands, fft_size // 2 + 1)` float64, read-only; bands of unit area in Hz from 0 to half the sample rate.

    A band narrower than a bin may hold no bin at all; its row is zero.
    """
    edges_hz = hz_from_mel(np.linspace(0, mel_from_hz(sample_rate / 2), bands + 2))
    bins_hz = np.fft.rfftfreq(fft_size, 1 / sample_rate)
    low, centre, high = (edges_hz[start : start + bands, None] for start in range(3))
    triangles = np.minimum((bins_hz - low) / (centre - low), (high - bins_hz) / (high - centre))
    bank = np.maximum(triangles, 0) * 2 / (high - low)
    bank.setflags(write=False)
    return bank


@dataclass(frozen=True)
class Bands:
    """A mel bank without empty bands: `weights (band, bin)`, and `edges (band, 2)`, where each has any."""

    weights: Tensor
    edges: np.ndarray

    @classmethod
    def of(cls, bank: np.ndarray, dtype: torch.dtype, device: torch.device) -> Bands:
        """Of weights `(band, bin)`; a band too narrow to hold a bin has no magnitude to take the logarithm of."""
        heard = bank[bank.any(axis=1)]
        used = heard != 0
        edges = np.stack([used.argmax(1), used.shape[1] - used[:, ::-1].argmax(1)], 1)
        return cls(torch.tensor(heard, dtype=dtype, device=device), edges)
