"""Linear processors as products of spectra: a run of them takes one FFT at its start and one at its end.

In all functions here the gradient of a spectrum is the spectrum of its signal's gradient. So forward and backward FFTs
are the same, unscaled, and the adjoint of a filter is its conjugate. Lengths of FFTs are even.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mixgraph.dsp import fft


def to_spectrum(signal: Tensor, n: int) -> Tensor:
    """Real FFT `(..., n // 2 + 1)` of a signal `(..., time)` padded with zeros to `n`."""
    return _ToSpectrum.apply(signal, n)


def to_signal(spectrum: Tensor, n: int, length: int) -> Tensor:
    """The first `length` samples of the inverse real FFT of length `n`."""
    return _ToSignal.apply(spectrum, n, length)


class _ToSpectrum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, signal: Tensor, n: int) -> Tensor:
        ctx.n, ctx.length = n, signal.shape[-1]
        return fft.rfft(signal, n)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return fft.irfft(grad, ctx.n, ctx.length), None


class _ToSignal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, spectrum: Tensor, n: int, length: int) -> Tensor:
        ctx.n = n
        return fft.irfft(spectrum, n, length)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        return fft.rfft(grad, ctx.n), None, None
