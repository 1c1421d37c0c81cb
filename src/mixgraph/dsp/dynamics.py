"""Compressor and gate: the gain that a quadratic knee over an energy envelope gives (paper, section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mixgraph.dsp.compiled import array, padded_array, share, usable
from mixgraph.dsp.envelope import one_pole


@dataclass(frozen=True)
class Knee:
    """A static curve over a one-pole envelope g of the energy; tensors are `(node,)`.

    The gain is exp(rate f(d)), d = sign (ln(g + floor) - threshold), where f is 0 below -W, d above W and
    (d + W)^2 / (4 W) between. Sign 1 works above the threshold (compressor), -1 below (gate).
    """

    threshold: Tensor
    rate: Tensor
    half_knee: Tensor
    smoothing: Tensor
    sign: Literal[1, -1]
    floor: float


def knee_gain(envelope: Tensor, knee: Knee) -> Tensor:
    """The gain of an envelope `(node, time)`."""
    # A knee of no width would divide zero by zero.
    half_knee = knee.half_knee[:, None].clamp(min=1e-6)
    over = knee.sign * (torch.log(envelope + knee.floor) - knee.threshold[:, None])
    # With u = (d + W) / (2 W) cut to [0, 1], f = W u^2 + max(d - W, 0).
    inside = ((over + half_knee) / (2 * half_knee)).clamp(0, 1)
    return torch.exp(knee.rate[:, None] * (half_knee * inside.square() + (over - half_knee).clamp(min=0)))


def envelope_gain(signal: Tensor, knee: Knee) -> Tensor:
    """The gain `(node, 1, time)` that a signal `(node, channels, time)` is given: the same on all channels."""
    return knee_gain(one_pole(signal.square().mean(-2), knee.smoothing), knee)[:, None]


def apply_knee(signal: Tensor, knee: Knee, weight: Tensor) -> Tensor:
    """u (1 - w + w gain) of a signal `(node, 2, time)`: compiled where that is possible, else as written."""
    settings = (knee.threshold, knee.rate, knee.half_knee.clamp(min=1e-6), knee.smoothing, weight)
    if usable(signal, *settings):
        return _CompiledKnee.apply(signal, torch.stack(settings, -1), knee.sign, knee.floor)
    return signal * torch.lerp(torch.ones_like(signal[:, :1]), envelope_gain(signal, knee), weight[:, None, None])


class _CompiledKnee(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, signal: Tensor, settings: Tensor, sign: int, floor: float) -> Tensor:
        from mixgraph.dsp import knee_kernels

        output, envelope = signal.new_empty(signal.shape), signal.new_empty(signal[:, 0].shape)
        ctx.sign, ctx.floor = np.float32(sign), np.float32(floor)
        rows = np.arange(len(signal))
        kept = array(output), array(envelope)
        share(knee_kernels.forward, rows, padded_array(signal), array(settings), ctx.sign, ctx.floor, *kept)
        ctx.save_for_backward(signal, settings, envelope)
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None, None]:
        from mixgraph.dsp import knee_kernels

        signal, settings, envelope = ctx.saved_tensors
        grad_signal, grad_settings = signal.new_empty(signal.shape), torch.empty_like(settings)
        known = padded_array(grad), padded_array(signal), array(envelope), array(settings), ctx.sign, ctx.floor
        rows = np.arange(len(signal))
        share(knee_kernels.backward, rows, *known, array(grad_signal), array(grad_settings))
        return grad_signal, grad_settings, None, None
