"""FIR filters from log magnitudes."""

from __future__ import annotations

import torch
from torch import Tensor


def zero_phase_fir(log_magnitude: Tensor) -> Tensor:
    """Hann-windowed zero-phase FIR `(..., 2 * bins - 1)`, centred at index `bins - 1`, of a response `(..., bins)`.

    The window is the periodic Hann of the published code, half a sample off the centre (paper, section 3).
    """
    bins = log_magnitude.shape[-1]
    count = 2 * bins - 1
    impulse = torch.fft.irfft(torch.exp(log_magnitude), n=count)
    window = torch.hann_window(count, dtype=log_magnitude.dtype, device=log_magnitude.device)
    return torch.roll(impulse, bins - 1, -1) * window


def unit_energy(response: Tensor) -> Tensor:
    """Response `(..., channels, taps)` scaled to an energy of 1 in the mean over channels; silence stays silent."""
    energy = response.square().sum(-1, keepdim=True).mean(-2, keepdim=True)
    return response * torch.rsqrt(energy + 1e-12)
