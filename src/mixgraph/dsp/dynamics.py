"""Gain curves of compressor and gate over a log energy, with a quadratic knee (paper, section 3)."""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

ENERGY_FLOOR: Final = 1e-5


def compressor_gain(envelope: Tensor, threshold: Tensor, ratio: Tensor, half_knee: Tensor, exponent: float) -> Tensor:
    """exp(exponent (G_out - G)) `(..., time)`, G = ln(envelope + 1e-5): above threshold, G_out rises 1/ratio as fast.

    `envelope (..., time)` is an energy, threshold and half knee are log energies `(...)`; exponent 1/2: an amplitude.
    """
    return _KneeGain.apply(envelope, threshold, exponent * (1 / ratio - 1), half_knee, 1)


def gate_gain(envelope: Tensor, threshold: Tensor, ratio: Tensor, half_knee: Tensor, exponent: float) -> Tensor:
    """As `compressor_gain`, but below the threshold G_out falls `ratio` times as fast as G."""
    return _KneeGain.apply(envelope, threshold, exponent * (1 - ratio), half_knee, -1)


class _KneeGain(torch.autograd.Function):
    """exp(rate f(d)), d = sign (G - T); f is 0 below -W, d above W and (d + W)^2 / (4 W) between.

    With u = (d + W) / (2 W) cut to [0, 1]: f = W u^2 + max(d - W, 0), df/dd = u, df/dW = u (1 - u). By hand because
    autograd keeps a dozen signals where three are enough.
    """

    @staticmethod
    def forward(ctx: Any, envelope: Tensor, threshold: Tensor, rate: Tensor, half_knee: Tensor, sign: int) -> Tensor:
        # A knee of no width would divide zero by zero.
        rate, half_knee = rate[..., None], half_knee[..., None].clamp(min=1e-6)
        over = torch.add(envelope, ENERGY_FLOOR).log_().sub_(threshold[..., None])
        if sign < 0:
            over.neg_()
        gain = _knee(over, half_knee).mul_(rate).exp_()
        ctx.save_for_backward(envelope, over, gain, rate, half_knee)
        ctx.sign = sign
        return gain

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, None]:
        envelope, over, gain, rate, half_knee = ctx.saved_tensors
        grad_log = grad * gain
        grad_rate = (grad_log * _knee(over, half_knee)).sum(-1)
        grad_log *= rate
        inside = _inside(over, half_knee)
        grad_over = grad_log * inside
        grad_half_knee = (grad_over * inside.neg_().add_(1)).sum(-1)
        grad_over *= ctx.sign
        grad_threshold = -grad_over.sum(-1)
        return grad_over.div_(envelope + ENERGY_FLOOR), grad_threshold, grad_rate, grad_half_knee, None


def _inside(over: Tensor, half_knee: Tensor) -> Tensor:
    return torch.add(over, half_knee).div_(2 * half_knee).clamp_(0, 1)


def _knee(over: Tensor, half_knee: Tensor) -> Tensor:
    return _inside(over, half_knee).square_().mul_(half_knee).add_(torch.sub(over, half_knee).clamp_(min=0))
