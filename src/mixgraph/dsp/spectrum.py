"""Short-time magnitudes and mel bands of left, right, mid and side, with backward passes of their own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mixgraph.dsp.compiled import array, share, usable
from mixgraph.dsp.mel import Bands

HOPS_PER_WINDOW = 4
FRAMES_AT_ONCE = 16


def stereo_magnitudes(signal: Tensor, window: Tensor, power_floor: float) -> Tensor:
    """Floored STFT magnitudes `(4, frame, bin)` of left, right, l + r and l - r of a signal `(2, time)`.

    Frames are centred, the edges reflected, the hop a quarter of the window; the power is clamped at `power_floor` from
    below, so that silence has a gradient (zero) and a logarithm. The window's length must be a multiple of four and
    less than twice the signal's.
    """
    return _StereoMagnitudes.apply(_with_margins(signal, window), window, math.sqrt(power_floor))


def stereo_mel(signal: Tensor, window: Tensor, bands: Bands, power_floor: float) -> Tensor:
    """`stereo_magnitudes` added up by mel band, `(4, frame, band)`; compiled where that is possible."""
    if usable(signal, window, bands.weights):
        return _StereoMel.apply(_with_margins(signal, window), window, bands, math.sqrt(power_floor))
    return stereo_magnitudes(signal, window, power_floor) @ bands.weights.mT


def _with_margins(signal: Tensor, window: Tensor) -> Tensor:
    margin = window.shape[0] // 2
    return torch.nn.functional.pad(signal, (margin, margin), mode="reflect")


def _frames(padded: Tensor, window: Tensor) -> Tensor:
    size = window.shape[0]
    return torch.fft.rfft(padded.unfold(-1, size, size // HOPS_PER_WINDOW) * window)


class _StereoMagnitudes(torch.autograd.Function):
    """Three times as fast as autograd: the adjoint of a real FFT is a real inverse FFT, that of framing overlap-add."""

    @staticmethod
    def forward(ctx: Any, padded: Tensor, window: Tensor, floor: float) -> Tensor:
        spectrum = _frames(padded, window)
        # Real and imaginary parts as planes of their own: arithmetic on interleaved numbers is not vectorised.
        planes = padded.new_empty(2, 4, *spectrum.shape[1:])
        planes[:, :2] = torch.view_as_real(spectrum).movedim(-1, 0)
        torch.add(planes[:, 0], planes[:, 1], out=planes[:, 2])
        torch.sub(planes[:, 0], planes[:, 1], out=planes[:, 3])
        magnitude = planes[0].square().addcmul_(planes[1], planes[1]).sqrt_().clamp_(min=floor)
        ctx.save_for_backward(planes, magnitude, window)
        ctx.floor, ctx.padded_shape = floor, padded.shape
        return magnitude

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:  # type: ignore[override]
        planes, magnitude, window = ctx.saved_tensors
        size = window.shape[0]
        # d|X| / dX = X / |X|, and zero where the floor holds.
        weight = torch.ops.aten.threshold_backward(gradient / magnitude, magnitude, ctx.floor)
        cross = weight[2] - weight[3]
        weight = weight[:2].add_(weight[2] + weight[3])
        parts = planes[:, :2] * weight
        parts[:, 0].addcmul_(planes[:, 1], cross)
        parts[:, 1].addcmul_(planes[:, 0], cross)
        # An inverse real FFT counts the inner bins twice, their gradient counts once: halve all, double the two ends.
        parts[..., 0] *= 2
        parts[..., -1] *= 2
        frames = torch.fft.irfft(torch.complex(parts[0], parts[1]), size, norm="forward") * (window / 2)
        return _overlap_add(frames, ctx.padded_shape), None, None


class _StereoMel(torch.autograd.Function):
    """Keeps the spectra alone: magnitudes are cheaper to compute again than to keep."""

    @staticmethod
    def forward(ctx: Any, padded: Tensor, window: Tensor, bands: Bands, floor: float) -> Tensor:
        from mixgraph.dsp import mel_kernels

        spectrum = _frames(padded, window)
        ctx.save_for_backward(spectrum, window)
        ctx.bands, ctx.floor, ctx.padded_shape = bands, np.float32(floor), padded.shape
        mel = padded.new_empty(4, spectrum.shape[1], len(bands.edges))
        known = _reals(spectrum), array(bands.weights), bands.edges, ctx.floor
        share(mel_kernels.forward, _tasks(spectrum), *known, array(mel))
        return mel

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None]:  # type: ignore[override]
        from mixgraph.dsp import mel_kernels

        spectrum, window = ctx.saved_tensors
        outcome = torch.empty_like(spectrum)
        known = array(grad), _reals(spectrum), array(ctx.bands.weights), ctx.bands.edges, ctx.floor
        share(mel_kernels.backward, _tasks(spectrum), *known, _reals(outcome))
        # An inverse real FFT counts the inner bins twice, their gradient counts once.
        frames = torch.fft.irfft(outcome, window.shape[0], norm="forward") * (window / 2)
        return _overlap_add(frames, ctx.padded_shape), None, None, None


def _tasks(spectrum: Tensor) -> np.ndarray:
    starts = np.arange(0, spectrum.shape[1], FRAMES_AT_ONCE)
    return np.stack([starts, np.minimum(starts + FRAMES_AT_ONCE, spectrum.shape[1])], 1)


def _reals(spectrum: Tensor) -> Any:
    return array(torch.view_as_real(spectrum).flatten(-2))


def _overlap_add(frames: Tensor, shape: torch.Size) -> Tensor:
    """Adjoint of framing: `(channel, frame, window)` summed into a signal of `shape` `(channel, time)`."""
    count, size = frames.shape[1:]
    hop = size // HOPS_PER_WINDOW
    pieces = frames.unflatten(-1, (HOPS_PER_WINDOW, hop))
    signal = frames.new_zeros(shape)
    framed = signal[:, : (count + HOPS_PER_WINDOW - 1) * hop].unflatten(-1, (-1, hop))
    for piece in range(HOPS_PER_WINDOW):
        framed[:, piece : piece + count] += pieces[:, :, piece]
    return signal
