"""Compiled loops over spectra: what a run of linear processors does to them, and the way back.

A run mixes the channels of each row by a matrix, applies up to two filters with their dry/wet, and adds rows up into
targets. Nothing in between is written to memory: bins are treated in blocks that stay in the processor's first cache,
as four planes (left real, left imaginary, right real, right imaginary), so that every loop is vectorised.

Spectra are `(row, channel, bin)` of complex numbers seen as `(row, channel, bin, 2)` of real ones; a response may have
one channel for both. A task is bins `first` to `last` of one target, whose rows are
`members[offsets[target]:offsets[target + 1]]`. `places (row, 2)` says where in each of the two stacks of responses the
row's filter is, -1 if it has none; `modes (2,)` whose level is observed: 0 none, 1 that of l + r, 2 both channels'.
Sums over bins count the first and the last bin half, and are kept apart by chunk to be added up afterwards.
"""

from __future__ import annotations

import numpy as np
from numba import njit

BLOCK = 256
FAST = {"contract", "reassoc", "nsz", "arcp"}


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy", inline="always")
def _load(spectrum, start, count, planes):
    """Bins of one row `(channel, bin, 2)` as planes."""
    for channel in range(2):
        pairs = spectrum[min(channel, spectrum.shape[0] - 1), 2 * start : 2 * (start + count)]
        real, imag = planes[2 * channel], planes[2 * channel + 1]
        for k in range(count):
            real[k] = pairs[2 * k]
            imag[k] = pairs[2 * k + 1]


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy", inline="always")
def _store(planes, start, count, spectrum):
    """Planes as bins of one row; into a row of one channel goes the sum of both."""
    if spectrum.shape[0] == 1:
        for part in range(2):
            for k in range(count):
                planes[part, k] += planes[2 + part, k]
    for channel in range(spectrum.shape[0]):
        pairs = spectrum[channel, 2 * start : 2 * (start + count)]
        real, imag = planes[2 * channel], planes[2 * channel + 1]
        for k in range(count):
            pairs[2 * k] = real[k]
            pairs[2 * k + 1] = imag[k]


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy", inline="always")
def _mix(a, b, c, d, planes, mixed, count):
    """Channels mixed by the matrix a b, c d."""
    for part in range(2):
        for k in range(count):
            mixed[part, k] = a * planes[part, k] + b * planes[2 + part, k]
        for k in range(count):
            mixed[2 + part, k] = c * planes[part, k] + d * planes[2 + part, k]


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy", inline="always")
def _filter(planes, h, wet, count):
    """The product of spectrum and response."""
    for part in range(0, 4, 2):
        for k in range(count):
            wet[part, k] = h[part, k] * planes[part, k] - h[part + 1, k] * planes[part + 1, k]
            wet[part + 1, k] = h[part, k] * planes[part + 1, k] + h[part + 1, k] * planes[part, k]


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy", inline="always")
def _blend(w, planes, wet, blended, count):
    """(1 - w) dry + w wet."""
    dry = np.float32(1) - w
    for part in range(4):
        for k in range(count):
            blended[part, k] = dry * planes[part, k] + w * wet[part, k]


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy", inline="always")
def _energy(planes, share, mode, count):
    """The sum over bins of the observed squared magnitude."""
    total = np.float32(0)
    for part in range(2):
        if mode == 1:
            for k in range(count):
                total += share[k] * (planes[part, k] + planes[2 + part, k]) ** 2
        else:
            for k in range(count):
                total += share[k] * (planes[part, k] ** 2 + planes[2 + part, k] ** 2)
    return total


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy", inline="always")
def _add_observed(scale, planes, mode, total, count):
    """Adds to a gradient that of `scale` / 2 times the observed energy."""
    for part in range(2):
        if mode == 1:
            for k in range(count):
                mid = scale * (planes[part, k] + planes[2 + part, k])
                total[part, k] += mid
                total[2 + part, k] += mid
        else:
            for k in range(count):
                total[part, k] += scale * planes[part, k]
                total[2 + part, k] += scale * planes[2 + part, k]


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy", inline="always")
def _add_adjoint(h, planes, total, count):
    """Adds the product with the conjugate response."""
    for part in range(0, 4, 2):
        for k in range(count):
            total[part, k] += h[part, k] * planes[part, k] + h[part + 1, k] * planes[part + 1, k]
            total[part + 1, k] += h[part, k] * planes[part + 1, k] - h[part + 1, k] * planes[part, k]


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy", inline="always")
def _share(share, start, count, bins):
    """How much each bin counts: the first and the last one half."""
    share[:] = np.float32(1)
    if start == 0:
        share[0] = np.float32(0.5)
    if start + count == bins:
        share[count - 1] = np.float32(0.5)


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def forward(tasks, members, offsets, signal, matrix, places, first, second, weights, modes, output, sums):
    """output[t] = sum over its rows of F2 F1 M X, F = 1 - w + w H; `sums (chunk, row, 2, 2)`: energies of X and H X."""
    scratch = np.empty((21, BLOCK), np.float32)
    x, u, h, wet, total, share = scratch[:4], scratch[4:8], scratch[8:12], scratch[12:16], scratch[16:20], scratch[20]
    bins = signal.shape[2] // 2
    for chunk, target, begin, end in tasks:
        output[target, :, 2 * begin : 2 * end] = np.float32(0)
        for member in range(offsets[target], offsets[target + 1]):
            row = members[member]
            for start in range(begin, end, BLOCK):
                count = min(BLOCK, end - start)
                _share(share, start, count, bins)
                _load(signal[row], start, count, x)
                _mix(matrix[row, 0, 0], matrix[row, 0, 1], matrix[row, 1, 0], matrix[row, 1, 1], x, u, count)
                for slot in range(2):
                    if places[row, slot] >= 0:
                        if slot == 0:
                            _load(first[places[row, 0]], start, count, h)
                        else:
                            _load(second[places[row, 1]], start, count, h)
                        _filter(u, h, wet, count)
                        if modes[slot] > 0:
                            sums[chunk, row, slot, 0] += _energy(u, share, modes[slot], count)
                            sums[chunk, row, slot, 1] += _energy(wet, share, modes[slot], count)
                        _blend(weights[row, slot], u, wet, u, count)
                _load(output[target], start, count, total)
                for part in range(4):
                    for k in range(count):
                        total[part, k] += u[part, k]
                _store(total, start, count, output[target])


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def backward(
    tasks, members, offsets, grad, signal, matrix, places, first, second, weights, modes, levels, outcome, sums
):
    """Gradients of `forward`, given those of its output and, doubled, of its energies: `levels (row, 2, 2)`.

    `outcome` are the arrays for those of signal (empty if it wants none) and responses; `sums (chunk, row, 6)` are for
    those of the two weights and the matrix.
    """
    to_signal, to_first, to_second = outcome
    scratch = np.empty((29, BLOCK), np.float32)
    x, begun, between, h = scratch[:4], scratch[4:8], scratch[8:12], scratch[12:16]
    wet, toward, of_wet, share = scratch[16:20], scratch[20:24], scratch[24:28], scratch[28]
    bins = signal.shape[2] // 2
    for chunk, target, begin, end in tasks:
        for member in range(offsets[target], offsets[target + 1]):
            row = members[member]
            a, b, c, d = matrix[row, 0, 0], matrix[row, 0, 1], matrix[row, 1, 0], matrix[row, 1, 1]
            for start in range(begin, end, BLOCK):
                count = min(BLOCK, end - start)
                _share(share, start, count, bins)
                _load(grad[target], start, count, toward)
                _load(signal[row], start, count, x)
                _mix(a, b, c, d, x, begun, count)
                u = begun
                if places[row, 0] >= 0 and places[row, 1] >= 0:
                    u = between
                    _load(first[places[row, 0]], start, count, h)
                    _filter(begun, h, wet, count)
                    _blend(weights[row, 0], begun, wet, between, count)
                for slot in range(1, -1, -1):
                    if places[row, slot] >= 0:
                        w, mode = weights[row, slot], modes[slot]
                        if slot == 1:
                            _load(second[places[row, 1]], start, count, h)
                        else:
                            u = begun
                            _load(first[places[row, 0]], start, count, h)
                        _filter(u, h, wet, count)
                        of_weight = np.float32(0)
                        for part in range(4):
                            for k in range(count):
                                of_weight += share[k] * toward[part, k] * (wet[part, k] - u[part, k])
                        sums[chunk, row, slot] += of_weight
                        for part in range(4):
                            for k in range(count):
                                of_wet[part, k] = w * toward[part, k]
                                toward[part, k] *= np.float32(1) - w
                        if mode > 0:
                            _add_observed(levels[row, slot, 0], u, mode, toward, count)
                            _add_observed(levels[row, slot, 1], wet, mode, of_wet, count)
                        _add_adjoint(h, of_wet, toward, count)
                        wet[:] = np.float32(0)
                        _add_adjoint(u, of_wet, wet, count)
                        if slot == 1:
                            _store(wet, start, count, to_second[places[row, 1]])
                        else:
                            _store(wet, start, count, to_first[places[row, 0]])
                for out in range(2):
                    for into in range(2):
                        product = np.float32(0)
                        for part in range(2):
                            for k in range(count):
                                product += share[k] * toward[2 * out + part, k] * x[2 * into + part, k]
                        sums[chunk, row, 2 + 2 * out + into] += product
                if len(to_signal) > 0:
                    _mix(a, c, b, d, toward, wet, count)
                    _store(wet, start, count, to_signal[row])
