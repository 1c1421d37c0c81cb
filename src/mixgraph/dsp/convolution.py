"""FFT convolution cut to the signal's length: the hot path of every linear effect."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import pad

from mixgraph.dsp import fft
from mixgraph.dsp.compiled import array, share, usable

BLOCK: Final = 2**19


@cache
def fast_length(n: int) -> int:
    """The smallest FFT length from `n` on that is quick: 2^4 to 2^9 times at most two 3s, and 5s and 7s.

    Odd lengths take twice as long, long runs of 2s or 3s up to a quarter longer (`benchmarks/limit.py`).
    """
    length = -(-n // 16) * 16
    while not _is_quick(length // 16):
        length += 16
    return length


def _is_quick(rest: int) -> bool:
    for prime, most in ((2, 5), (3, 2), (5, 99), (7, 99)):
        while most and rest % prime == 0:
            rest, most = rest // prime, most - 1
    return rest == 1


def convolve(signal: Tensor, taps: Tensor, *, origin: int = 0) -> Tensor:
    """out[n] = sum over k of taps[k] signal[n - k + origin], as long as the signal.

    `signal (..., channels, time)`, `taps (..., channels or 1, taps)`, `origin >= 0` the index of the tap at time zero.
    A signal longer than `BLOCK` is computed in blocks (overlap-save), so that memory stays bounded.
    """
    length, count = signal.shape[-1], taps.shape[-1]
    if length <= 2 * BLOCK:
        return _convolve_at_once(signal, taps, origin)
    block = max(BLOCK, 4 * count)
    pieces = []
    for start in range(0, length, block):
        stop = min(start + block, length)
        before = max(0, min(start, start + origin - count + 1))
        piece = _convolve_at_once(signal[..., before : min(stop + origin, length)], taps, origin)
        pieces.append(piece[..., start - before : stop - before])
    return torch.cat(pieces, -1)


def _convolve_at_once(signal: Tensor, taps: Tensor, origin: int) -> Tensor:
    length = signal.shape[-1]
    first, last = max(0, origin - length + 1), min(taps.shape[-1], origin + length)
    return _Convolution.apply(signal, taps[..., first:last], origin - first)


class _Convolution(torch.autograd.Function):
    """Keeps the spectra; backward takes one forward and two inverse real FFTs, where autograd takes complex ones."""

    @staticmethod
    def forward(ctx: Any, signal: Tensor, taps: Tensor, origin: int) -> Tensor:
        length, count = signal.shape[-1], taps.shape[-1]
        # Circular aliasing may fall only on outputs that are cut away.
        n = fast_length(max(length + origin, length + count - 1 - origin))
        spectrum, response = fft.rfft(signal, n), fft.rfft(taps, n)
        ctx.save_for_backward(
            spectrum if ctx.needs_input_grad[1] else None, response if ctx.needs_input_grad[0] else None
        )
        ctx.sizes = signal.shape, taps.shape, origin, n
        return fft.irfft(spectrum * response, n, origin + length)[..., origin:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        spectrum, response = ctx.saved_tensors
        signal_shape, taps_shape, origin, n = ctx.sizes
        grad_spectrum = fft.rfft(pad(grad, (origin, 0)), n)
        grad_signal = grad_taps = None
        if response is not None:
            product = _sum_to(grad_spectrum * response.conj(), signal_shape)
            grad_signal = fft.irfft(product, n, signal_shape[-1])
        if spectrum is not None:
            product = _sum_to(grad_spectrum * spectrum.conj(), taps_shape)
            grad_taps = fft.irfft(product, n, taps_shape[-1])
        return grad_signal, grad_taps, None


def filter_short(signal: Tensor, taps: Tensor) -> Tensor:
    """`convolve` of `(channel, time)` with a zero-phase filter of few taps, odd in number, that learns nothing.

    Compiled where that is possible, and then several times as fast as by FFT.
    """
    if usable(signal, taps):
        return _ShortFilter.apply(signal, taps)
    return convolve(signal, taps[None], origin=len(taps) // 2)


class _ShortFilter(torch.autograd.Function):
    """The adjoint of a filter is the filter turned round."""

    @staticmethod
    def forward(ctx: Any, signal: Tensor, taps: Tensor) -> Tensor:
        ctx.save_for_backward(taps)
        return _filter_compiled(signal, taps)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (taps,) = ctx.saved_tensors
        return _filter_compiled(grad, taps.flip(0)), None


def _filter_compiled(signal: Tensor, taps: Tensor) -> Tensor:
    from mixgraph.dsp import fir_kernels

    output = torch.empty_like(signal, memory_format=torch.contiguous_format)
    starts = np.arange(0, signal.shape[-1], fir_kernels.BLOCK)
    tasks = np.column_stack([np.repeat(np.arange(len(signal)), len(starts)), np.tile(starts, len(signal))])
    margin = len(taps) // 2
    share(fir_kernels.forward, tasks, array(pad(signal, (margin, margin))), array(taps), array(output))
    return output


def _sum_to(spectrum: Tensor, shape: torch.Size) -> Tensor:
    """Undoes broadcasting of all axes but the last."""
    return spectrum.sum_to_size(*shape[:-1], spectrum.shape[-1])
