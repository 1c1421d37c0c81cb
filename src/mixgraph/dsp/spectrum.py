"""Short-time magnitudes of left, right, mid and side, with a backward pass of their own."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

HOPS_PER_WINDOW = 4


def stereo_magnitudes(signal: Tensor, window: Tensor, power_floor: float) -> Tensor:
    """Floored STFT magnitudes `(4, frame, bin)` of left, right, l + r and l - r of a signal `(2, time)`.

    Frames are centred, the edges reflected, the hop a quarter of the window; the power is clamped at `power_floor` from
    below, so that silence has a gradient (zero) and a logarithm. The window's length must be a multiple of four and
    less than twice the signal's.
    """
    margin = window.shape[0] // 2
    return _StereoMagnitudes.apply(
        torch.nn.functional.pad(signal, (margin, margin), mode="reflect"), window, math.sqrt(power_floor)
    )


class _StereoMagnitudes(torch.autograd.Function):
    """Three times as fast as autograd: the adjoint of a real FFT is a real inverse FFT, that of framing overlap-add."""

    @staticmethod
    def forward(ctx: Any, padded: Tensor, window: Tensor, floor: float) -> Tensor:
        size = window.shape[0]
        spectrum = torch.fft.rfft(padded.unfold(-1, size, size // HOPS_PER_WINDOW) * window)
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
