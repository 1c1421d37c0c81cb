"""The energy envelope of the dynamics processors: a one-pole filter with an exact backward pass."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def one_pole(energy: Tensor, smoothing: Tensor) -> Tensor:
    """g[n] = a g[n-1] + (1 - a) e[n] from g[-1] = 0: `energy (..., time)`, `smoothing (...)` (paper, section 3)."""
    return _OnePole.apply(energy, smoothing)


def accumulate(signal: Tensor, decay: Tensor) -> Tensor:
    """y[n] = decay y[n-1] + x[n] along the last axis, `decay (...)`: sample by sample on the CPU, a scan elsewhere."""
    return accumulate_by_filter(signal, decay) if signal.device.type == "cpu" else accumulate_by_scan(signal, decay)


def accumulate_by_filter(signal: Tensor, decay: Tensor) -> Tensor:
    """`accumulate` sample by sample, in float64."""
    from scipy.signal import lfilter  # takes half a second to load, and compiled kernels do without it

    output = torch.empty_like(signal, memory_format=torch.contiguous_format)
    rows = signal.detach().reshape(-1, signal.shape[-1])
    for target, row, pole in zip(output.view_as(rows), rows, decay.reshape(-1).tolist(), strict=True):
        target.copy_(torch.from_numpy(lfilter([1.0], [1.0, -pole], row.double().numpy())))
    return output


def accumulate_by_scan(signal: Tensor, decay: Tensor) -> Tensor:
    """`accumulate` by recursive doubling: log2(time) vector steps on any device."""
    output, reach, step = signal.clone(), decay[..., None], 1
    while step < signal.shape[-1]:
        output[..., step:] += reach * output[..., :-step]
        reach, step = reach * reach, 2 * step
    return output


class _OnePole(torch.autograd.Function):
    """Backward: s[n] = grad[n] + a s[n+1]; grad_e = (1 - a) s; grad_a = sum of s[n] (g[n-1] - e[n])."""

    @staticmethod
    def forward(ctx: Any, energy: Tensor, smoothing: Tensor) -> Tensor:
        envelope = accumulate(energy, smoothing).mul_((1 - smoothing)[..., None])
        ctx.save_for_backward(energy, smoothing, envelope)
        return envelope

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        energy, smoothing, envelope = ctx.saved_tensors
        state = accumulate(grad.flip(-1), smoothing).flip(-1)
        grad_smoothing = (state[..., 1:] * envelope[..., :-1]).sum(-1) - (state * energy).sum(-1)
        return state.mul_((1 - smoothing)[..., None]), grad_smoothing
