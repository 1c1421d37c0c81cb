"""Learnable delay taps: one-hot forward, the impulse of a damped complex sinusoid backward (paper, section 3)."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import pad

from mixgraph.dsp.convolution import fast_length


def to_unit_disk(z: Tensor) -> Tensor:
    """zeta = z tanh|z| / |z|, smooth through zero."""
    radius = z.abs()
    tiny = radius < 1e-4
    safe = radius.masked_fill(tiny, 1.0)
    return z * torch.where(tiny, 1 - radius.square() / 3, torch.tanh(safe) / safe)


def tap_position(zeta: Tensor, slot: int) -> Tensor:
    """Where the soft impulse of zeta peaks, in samples in [-0.5, slot - 0.5), not rounded.

    The impulse is an even function of the angle arg(zeta) + 2 pi n / slot that is largest at zero.
    """
    samples = zeta.angle() * (-slot / (2 * math.pi))
    return torch.remainder(samples + 0.5, slot) - 0.5


def tap_angle(position: Tensor, slot: int) -> Tensor:
    """arg(zeta) of a tap at `position` samples; the inverse of `tap_position`."""
    return position * (-2 * math.pi / slot)


def soft_impulse(zeta: Tensor, slot: int) -> Tensor:
    """Inverse real FFT of zeta^k, k = 0..slot/2: `(..., slot)`."""
    return torch.fft.irfft(powers(zeta, slot // 2 + 1), n=slot)


def powers(base: Tensor, count: int) -> Tensor:
    """base^0, base^1, ... `(..., count)`, by doubling: exact at zero, and cheaper than complex exponentials."""
    result = torch.ones_like(base)[..., None]
    factor = base[..., None]
    while result.shape[-1] < count:
        result = torch.cat([result, result[..., : count - result.shape[-1]] * factor], -1)
        factor = factor * factor
    return result


def colored_taps(zeta: Tensor, color: Tensor, slot: int) -> Tensor:
    """One tap per slot, `(..., slot)`: the peak of `soft_impulse(zeta)`, coloured, cropped at the slot's ends.

    `zeta (...)` is complex, `color (..., odd count)` a FIR around the tap. The gradient of zeta is that of the soft
    impulse (straight-through estimator).
    """
    return _ColoredTaps.apply(zeta, color, slot)


class _ColoredTaps(torch.autograd.Function):
    """The forward impulse is one-hot, so colouring it is placing the FIR: no FFT."""

    @staticmethod
    def forward(ctx: Any, zeta: Tensor, color: Tensor, slot: int) -> Tensor:
        count = color.shape[-1]
        onset = tap_position(zeta, slot).round().long().clamp(max=slot - 1)
        index = onset[..., None] + torch.arange(count, device=color.device)
        ctx.save_for_backward(zeta, color, index)
        ctx.slot = slot
        padded = color.new_zeros(*color.shape[:-1], slot + count - 1).scatter_(-1, index, color)
        return padded[..., count // 2 : count // 2 + slot].contiguous()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        zeta, color, index = ctx.saved_tensors
        slot, count = ctx.slot, color.shape[-1]
        padded = pad(grad, (count // 2, count // 2))
        grad_zeta = grad_color = None
        if ctx.needs_input_grad[1]:
            grad_color = padded.gather(-1, index)
        if ctx.needs_input_grad[0]:
            n = fast_length(slot + count - 1)
            product = torch.fft.rfft(padded, n) * torch.fft.rfft(color, n).conj()
            grad_zeta = _soft_impulse_adjoint(torch.fft.irfft(product, n)[..., :slot], zeta)
        return grad_zeta, grad_color, None


def _soft_impulse_adjoint(grad: Tensor, zeta: Tensor) -> Tensor:
    """The gradient of zeta given that of its soft impulse: sum over k of conj(k zeta^(k-1)) times that of zeta^k."""
    slot = grad.shape[-1]
    order = torch.arange(1, slot // 2 + 1, device=grad.device, dtype=grad.dtype)
    # A real FFT's inner bins stand for two; the last one of an even length stands for itself.
    weight = torch.where(2 * order == slot, 1, 2) * order / slot
    spectrum = torch.fft.rfft(grad)[..., 1:]
    return torch.linalg.vecdot(powers(zeta, slot // 2), spectrum * weight)


def normalize_gradient(z: Tensor) -> Tensor:
    """The identity; its backward scales each complex gradient to unit magnitude (paper, section 3; zero stays zero)."""
    return _NormalizedGradient.apply(z)


class _NormalizedGradient(torch.autograd.Function):
    @staticmethod
    def forward(_: Any, z: Tensor) -> Tensor:
        return z.view_as(z)

    @staticmethod
    @once_differentiable
    def backward(_: Any, grad: Tensor) -> Tensor:
        return grad / (grad.abs() + 1e-7)
