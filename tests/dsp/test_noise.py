"""Decaying noise against torch's own inverse STFT."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mixgraph.dsp.noise import decaying_noise, noise_spectrogram
from mixgraph.dsp.stereo import mid_side_to_left_right, width_matrix

CPU = torch.device("cpu")


@pytest.mark.parametrize("taps, fft_size", [(60, 16), (61, 16), (64, 16), (71, 20), (6001, 384)])
def test_is_the_inverse_stft_of_the_masked_noise(taps: int, fft_size: int, generator: torch.Generator) -> None:
    bins, hop, window = fft_size // 2 + 1, fft_size // 2, torch.hann_window(fft_size, dtype=torch.float64)
    log_start, decay = torch.rand(2, 3, 2, bins, dtype=torch.float64, generator=generator)
    noise = torch.tensor(np.random.RandomState(7).uniform(size=(2, taps)) * 2 - 1)
    spectrogram = torch.stft(noise, fft_size, hop, window=window, return_complex=True)
    frames = torch.arange(spectrogram.shape[-1])
    masked = spectrogram * torch.exp(log_start[..., None] - decay[..., None] * frames)
    expected = torch.istft(masked.flatten(0, 1), fft_size, hop, window=window, length=taps).view(3, 2, taps)
    ours = noise_spectrogram(7, taps, fft_size, CPU, torch.float64)
    torch.testing.assert_close(decaying_noise(log_start, decay, ours, taps), expected)


def test_no_mask_gives_the_noise_back() -> None:
    zeros = torch.zeros(1, 2, 17, dtype=torch.float64)
    noise = noise_spectrogram(0, 200, 32, CPU, torch.float64)
    expected = np.random.RandomState(0).uniform(-1, 1, size=(2, 200))
    np.testing.assert_allclose(decaying_noise(zeros, zeros, noise, 200)[0], expected, atol=1e-12)


@pytest.mark.parametrize("taps", [33, 40])
def test_gradients(taps: int, device: torch.device, generator: torch.Generator) -> None:
    inputs = torch.rand(2, 2, 2, 9, dtype=torch.float64, generator=generator).to(device)
    log_start, decay = (value.requires_grad_() for value in inputs)
    noise = noise_spectrogram(0, taps, 16, log_start.device, torch.float64)
    assert torch.autograd.gradcheck(lambda s, d: decaying_noise(s, d, noise, taps), (log_start, decay))


def test_cached_noise_of_an_evaluation_serves_training() -> None:
    with torch.inference_mode():
        noise = noise_spectrogram(123, 100, 16, CPU, torch.float32)
        decaying_noise(torch.zeros(1, 2, 9), torch.zeros(1, 2, 9), noise, 100)
    assert not noise.is_inference(), "autograd cannot save inference tensors"
    start = torch.zeros(1, 2, 9, requires_grad=True)
    again = noise_spectrogram(123, 100, 16, CPU, torch.float32)
    decaying_noise(start, torch.zeros(1, 2, 9), again, 100).square().sum().backward()
    assert again is noise and start.grad is not None and start.grad.abs().min() > 0


@pytest.mark.parametrize("side_gain", [0.0, 0.5, 1.0, 2.0])
def test_width_matrix_scales_the_side_and_keeps_the_mid(side_gain: float) -> None:
    left, right = width_matrix(torch.tensor(side_gain)) @ torch.tensor([3.0, 1.0])
    torch.testing.assert_close([left + right, left - right], [torch.tensor(4.0), torch.tensor(2.0 * side_gain)])


def test_mid_and_side_become_left_and_right() -> None:
    torch.testing.assert_close(mid_side_to_left_right(torch.tensor([[3.0], [1.0]])), torch.tensor([[4.0], [2.0]]))
