"""Reverb responses: a fixed noise whose spectrogram is shaped by a decaying mask (paper, section 3)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import pad


@lru_cache(maxsize=16)
def noise_spectrogram(seed: int, taps: int, fft_size: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """STFT `(2, frames, bins)` of the mid and side noises, uniform in [-1, 1): Hann, centred, hop half the FFT size."""
    # Cached, so it must not be born an inference tensor, which training could not use.
    with torch.inference_mode(False):
        noise = torch.tensor(np.random.RandomState(seed).uniform(size=(2, taps)) * 2 - 1, device=device, dtype=dtype)
        window = torch.hann_window(fft_size, device=device, dtype=dtype)
        spectrogram = torch.stft(noise, fft_size, fft_size // 2, window=window, return_complex=True)
        return spectrogram.transpose(-1, -2).contiguous()


def decaying_noise(log_start: Tensor, decay: Tensor, noise: Tensor, taps: int) -> Tensor:
    """Inverse STFT `(..., 2, taps)` of `noise` times exp(log_start - decay m), m the frame; others `(..., 2, bins)`."""
    return _DecayingNoise.apply(log_start, decay, noise, taps)


class _DecayingNoise(torch.autograd.Function):
    """At a hop of half the FFT size each block of output is the sum of two frames' halves."""

    @staticmethod
    def forward(ctx: Any, log_start: Tensor, decay: Tensor, noise: Tensor, taps: int) -> Tensor:
        frame = torch.arange(noise.shape[-2], device=noise.device, dtype=decay.dtype)[:, None]
        mask = torch.mul(decay[..., None, :], -frame).add_(log_start[..., None, :]).exp_()
        shaped = noise * mask
        ctx.save_for_backward(shaped, frame)
        ctx.taps = taps
        window = _synthesis_window(noise)
        hop = window.shape[-1] // 2
        frames = torch.fft.irfft(shaped, n=2 * hop).mul_(window)
        blocks = frames.new_empty(*frames.shape[:-1], hop)
        torch.add(frames[..., :-1, hop:], frames[..., 1:, :hop], out=blocks[..., :-1, :])
        blocks[..., -1, :] = frames[..., -1, hop:]
        return blocks.flatten(-2)[..., :taps].contiguous()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None, None]:
        shaped, frame = ctx.saved_tensors
        window = _synthesis_window(shaped)
        count, hop = len(frame), window.shape[-1] // 2
        extended = pad(grad, (hop, hop * count - ctx.taps))
        frames = extended.unfold(-1, 2 * hop, hop) * window
        spectrum = torch.fft.rfft(frames)
        product = spectrum.real * shaped.real + spectrum.imag * shaped.imag
        # A real FFT's inner bins stand for two.
        product[..., 1:-1] *= 2
        product /= 2 * hop
        return product.sum(-2), -(frame * product).sum(-2), None, None


@lru_cache(maxsize=16)
def _synthesis(fft_size: int, count: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """The Hann window of each frame `(count, fft_size)` over the sum of squares of all windows there."""
    hop = fft_size // 2
    window = torch.hann_window(fft_size, device=device, dtype=dtype)
    squares = window[:hop].square() + window[hop:].square()
    windows = (window / squares.repeat(2)).repeat(count, 1)
    # The last half frame overlaps with nothing.
    windows[-1, hop:] = 1 / window[hop:]
    return windows


def _synthesis_window(spectrogram: Tensor) -> Tensor:
    count, bins = spectrogram.shape[-2:]
    return _synthesis(2 * (bins - 1), count, spectrogram.device, spectrogram.real.dtype)
