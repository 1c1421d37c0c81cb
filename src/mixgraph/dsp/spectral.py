"""Linear processors as products of spectra: a run of them takes one FFT at its start and one at its end.

In all functions here the gradient of a spectrum is the spectrum of its signal's gradient. So forward and backward FFTs
are the same, unscaled, and the adjoint of a filter is its conjugate. Lengths of FFTs are even.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mixgraph.dsp.compiled import array, share, usable
from mixgraph.dsp.level import LevelPair

CHUNK = 1 << 14  # bins that one call of a kernel treats


def to_spectrum(signal: Tensor, n: int) -> Tensor:
    """Real FFT `(..., n // 2 + 1)` of a signal `(..., time)` padded with zeros to `n`."""
    return _ToSpectrum.apply(signal, n)


def to_signal(spectrum: Tensor, n: int, length: int) -> Tensor:
    """The first `length` samples of the inverse real FFT of length `n`."""
    return _ToSignal.apply(spectrum, n, length)


def apply_response(
    spectrum: Tensor, response: Tensor, weight: Tensor, *, n: int, length: int, level: Literal["mid", "stereo"] | None
) -> tuple[Tensor, LevelPair | None]:
    """(1 - w + w H) X, and the mean-square levels of X and H X per sample of `length` (Parseval: their tails count).

    `spectrum (node, 2, bin)`, `response (node, 1 or 2, bin)`, `weight (node,)`; `level` names the signal observed.
    """
    output, dry, wet = _ApplyResponse.apply(spectrum, response, weight, n, length, level)
    return output, LevelPair(dry, wet) if level else None


def apply_matrix(spectrum: Tensor, matrix: Tensor, n: int) -> Tensor:
    """Channels `(node, 2, bin)` mixed by `(node, 2, 2)` matrices."""
    return _ApplyMatrix.apply(spectrum, matrix, n)


def sum_over_bins(product: Tensor, n: int) -> Tensor:
    """The sum over time of two signals' product, given Re(conj(A) B) of their spectra `(..., bin)` (Parseval)."""
    return (2 * product.sum(-1) - product[..., 0] - product[..., -1]) / n


class _ToSpectrum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, signal: Tensor, n: int) -> Tensor:
        ctx.n, ctx.length = n, signal.shape[-1]
        return torch.fft.rfft(signal, n)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return torch.fft.irfft(grad, ctx.n)[..., : ctx.length], None


class _ToSignal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, spectrum: Tensor, n: int, length: int) -> Tensor:
        ctx.n = n
        return torch.fft.irfft(spectrum, n)[..., :length]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        return torch.fft.rfft(grad, ctx.n), None, None


class _ApplyMatrix(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, spectrum: Tensor, matrix: Tensor, n: int) -> Tensor:
        ctx.save_for_backward(spectrum, matrix)
        ctx.n = n
        return _mix_channels(matrix, spectrum)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        spectrum, matrix = ctx.saved_tensors
        product = (grad[:, :, None].conj() * spectrum[:, None]).real
        return _mix_channels(matrix.transpose(1, 2), grad), sum_over_bins(product, ctx.n), None


def _mix_channels(matrix: Tensor, spectrum: Tensor) -> Tensor:
    planes = torch.view_as_real(spectrum).flatten(-2)
    return torch.view_as_complex(torch.matmul(matrix, planes).unflatten(-1, (-1, 2)))


class _ApplyResponse(torch.autograd.Function):
    """Compiled where that is possible; elsewhere the same in torch."""

    @staticmethod
    def forward(
        ctx: Any, spectrum: Tensor, response: Tensor, weight: Tensor, n: int, length: int, level: str | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        spectrum, response = spectrum.contiguous(), response.contiguous()
        ctx.save_for_backward(spectrum, response, weight)
        # Mean over time, and for `stereo` over two channels.
        ctx.scale = 1 / length if level == "mid" else 1 / (2 * length)
        ctx.n, ctx.level = n, level
        if usable(spectrum, response, weight):
            from mixgraph.dsp import spectral_kernels

            output = torch.empty_like(spectrum)
            tasks, x, h = _tasks(spectrum), _planes(spectrum), _planes(response)
            share(spectral_kernels.forward, tasks, x, h, array(weight), _planes(output))
            sums = torch.zeros(len(tasks), 2)
            if level:
                share(spectral_kernels.energies, tasks, x, h, level == "mid", array(sums))
            inner = sums.unflatten(0, (len(spectrum), -1)).sum(1)
        else:
            output = spectrum * (1 + weight[:, None, None] * (response - 1))
            inner = torch.stack([_energy(spectrum, level), _energy(response * spectrum, level)], -1)
        ends = [0, -1]
        edges = spectrum[..., ends], response[..., ends] * spectrum[..., ends]
        outer = torch.stack([_energy(edge, level) for edge in edges], -1)
        dry, wet = ((2 * inner - outer) * (ctx.scale / n)).unbind(-1)
        return output, dry, wet

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, grad_dry: Tensor, grad_wet: Tensor) -> tuple[Tensor | None, ...]:
        spectrum, response, weight = ctx.saved_tensors
        mid = ctx.level == "mid"
        levels = 2 * ctx.scale * torch.stack([grad_dry, grad_wet], -1)
        grad = grad.contiguous()
        ends = [0, -1]
        change = (response[..., ends] - 1) * spectrum[..., ends]
        outer = (grad[..., ends].conj() * change).real.sum((-2, -1))
        if usable(spectrum, response, weight, grad):
            from mixgraph.dsp import spectral_kernels

            grad_spectrum, grad_response = torch.empty_like(spectrum), torch.empty_like(response)
            tasks = _tasks(spectrum)
            sums = torch.zeros(len(tasks))
            x, h, g = _planes(spectrum), _planes(response), _planes(grad)
            found = _planes(grad_spectrum), _planes(grad_response), array(sums)
            share(spectral_kernels.backward, tasks, g, x, h, array(weight), array(levels), mid, *found)
            inner = sums.unflatten(0, (len(spectrum), -1)).sum(1)
        else:
            wet = response * spectrum
            inner = (grad.conj() * (wet - spectrum)).real.sum((-2, -1))
            of_dry, of_wet = (values[:, None, None] for values in levels.unbind(-1))
            w = weight[:, None, None]
            grad_wet_signal = w * grad + of_wet * _observed(wet, mid)
            grad_spectrum = (1 - w) * grad + of_dry * _observed(spectrum, mid) + response.conj() * grad_wet_signal
            grad_response = spectrum.conj() * grad_wet_signal
            grad_response = grad_response.sum_to_size(response.shape)
        return grad_spectrum, grad_response, (2 * inner - outer) / ctx.n, None, None, None


def _energy(spectrum: Tensor, level: str | None) -> Tensor:
    """Sum over bins `(node,)` of the squared magnitude of the observed signal; zeros if none is."""
    if level is None:
        return torch.zeros(len(spectrum), dtype=spectrum.real.dtype, device=spectrum.device)
    observed = spectrum.sum(1, keepdim=True) if level == "mid" else spectrum
    return torch.view_as_real(observed.contiguous()).square().sum((1, 2, 3))


def _observed(spectrum: Tensor, mid: bool) -> Tensor:
    return spectrum.sum(1, keepdim=True) if mid else spectrum


def _planes(spectrum: Tensor) -> Any:
    return array(torch.view_as_real(spectrum.detach()))


def _tasks(spectrum: Tensor) -> np.ndarray:
    """Pieces of work `(task, row, first bin, last bin)`, equally many per row."""
    rows, bins = len(spectrum), spectrum.shape[-1]
    starts = np.arange(0, bins, CHUNK)
    pieces = np.stack([np.tile(starts, rows), np.tile(np.minimum(starts + CHUNK, bins), rows)], 1)
    return np.column_stack([np.arange(len(pieces)), np.repeat(np.arange(rows), len(starts)), pieces])
