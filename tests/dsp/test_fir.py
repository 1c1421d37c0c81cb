"""Zero-phase FIRs and the energy of responses."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
import torch

from mixgraph.dsp.fir import unit_energy, zero_phase_fir


@pytest.mark.parametrize("bins", [4, 20, 1024])
def test_is_the_windowed_sum_of_cosines(bins: int, generator: torch.Generator) -> None:
    log_magnitude = torch.randn(3, bins, dtype=torch.float64, generator=generator)
    count, time = 2 * bins - 1, np.arange(2 * bins - 1) - (bins - 1)
    weights = np.where(np.arange(bins) == 0, 1, 2)
    cosines = np.cos(2 * np.pi * np.outer(np.arange(bins), time) / count)
    window = scipy.signal.get_window("hann", count, fftbins=True)
    expected = (np.exp(log_magnitude.numpy()) * weights) @ cosines / count * window
    torch.testing.assert_close(zero_phase_fir(log_magnitude), torch.tensor(expected))


def test_smooth_magnitude_is_the_response() -> None:
    bins = 257
    hz = torch.linspace(0, 1, bins, dtype=torch.float64)
    log_magnitude = 0.3 * torch.cos(3 * torch.pi * hz) - 0.5
    response = np.fft.rfft(zero_phase_fir(log_magnitude).numpy())
    np.testing.assert_allclose(np.log(np.abs(response)), log_magnitude.numpy(), atol=2e-3)


def test_gradients(device: torch.device, generator: torch.Generator) -> None:
    log_magnitude = torch.randn(2, 5, dtype=torch.float64, generator=generator).to(device).requires_grad_()
    assert torch.autograd.gradcheck(zero_phase_fir, log_magnitude)
    assert torch.autograd.gradcheck(lambda m: unit_energy(zero_phase_fir(m)), log_magnitude)


def test_unit_energy_is_one_in_the_mean_over_channels_and_keeps_the_balance(generator: torch.Generator) -> None:
    response = torch.randn(4, 2, 50, dtype=torch.float64, generator=generator) * torch.tensor([[3.0], [0.1]])
    scaled = unit_energy(response)
    torch.testing.assert_close(scaled.square().sum(-1).mean(-1), torch.ones(4, dtype=torch.float64))
    torch.testing.assert_close(scaled[:, 0] / scaled[:, 1], response[:, 0] / response[:, 1])
    assert not unit_energy(torch.zeros(1, 2, 50)).any()
