"""Compiled loops of the dynamics processors: envelope, knee and gain in one pass over the signal, and the way back.

A pass goes through the signal in blocks that stay in the processor's first cache. Logarithm and exponential are the
single-precision polynomials of Cephes (S. Moshier, netlib.org/cephes), written so that the compiler vectorises them.
"""

from __future__ import annotations

import numpy as np
from numba import njit

BLOCK = 512
SIGN_AND_MANTISSA = np.int32(0x807FFFFF - (1 << 32))
HALF_EXPONENT = np.int32(126 << 23)
SQRT_HALF = np.float32(0.70710678)
LN_2 = np.float32(0.6931471805599453)
FAST = {"contract", "reassoc", "nsz", "arcp"}


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy", inline="always")
def _log(values, exponents, mantissas, bits, count):
    """values[k] = ln(values[k]) of positive normal numbers; `bits` is `mantissas` as integers."""
    for k in range(count):
        mantissas[k] = values[k]
    for k in range(count):
        exponents[k] = np.float32((bits[k] >> 23) - 126)
    for k in range(count):
        bits[k] = (bits[k] & SIGN_AND_MANTISSA) | HALF_EXPONENT
    for k in range(count):
        low = mantissas[k] < SQRT_HALF
        x = (mantissas[k] + mantissas[k] if low else mantissas[k]) - np.float32(1)
        exponent = exponents[k] - np.float32(1) if low else exponents[k]
        p = np.float32(7.0376836292e-2)
        p = p * x - np.float32(1.1514610310e-1)
        p = p * x + np.float32(1.1676998740e-1)
        p = p * x - np.float32(1.2420140846e-1)
        p = p * x + np.float32(1.4249322787e-1)
        p = p * x - np.float32(1.6668057665e-1)
        p = p * x + np.float32(2.0000714765e-1)
        p = p * x - np.float32(2.4999993993e-1)
        p = p * x + np.float32(3.3333331174e-1)
        square = x * x
        values[k] = p * x * square - np.float32(0.5) * square + x + exponent * LN_2


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy", inline="always")
def _exp(values, powers, bits, count):
    """values[k] = exp(values[k]), cut to the range of single precision; `bits` is `powers` as integers."""
    for k in range(count):
        scaled = min(max(values[k] * np.float32(1.44269504), np.float32(-126)), np.float32(127))
        bits[k] = (np.int32(np.floor(scaled + np.float32(0.5))) + np.int32(127)) << 23
    for k in range(count):
        scaled = min(max(values[k] * np.float32(1.44269504), np.float32(-126)), np.float32(127))
        x = (scaled - np.floor(scaled + np.float32(0.5))) * LN_2
        p = np.float32(1.9875691500e-4)
        p = p * x + np.float32(1.3981999507e-3)
        p = p * x + np.float32(8.3334519073e-3)
        p = p * x + np.float32(4.1665795894e-2)
        p = p * x + np.float32(1.6666665459e-1)
        p = p * x + np.float32(5.0000001201e-1)
        values[k] = (p * x * x + x + np.float32(1)) * powers[k]


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def forward(rows, signal, settings, sign, floor, output, envelope):
    """output = u (1 + w (gain - 1)) of some rows; `settings` as in `mixgraph.dsp.dynamics`; `signal` may be longer."""
    for row in rows:
        threshold, rate, half_knee, smoothing, weight = settings[row]
        one, zero, slope = np.float32(1), np.float32(0), np.float32(0.5) / half_knee
        over, gain = np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32)
        scratch, other = np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32)
        bits = scratch.view(np.int32)
        pole, state = np.float64(smoothing), np.float64(0)
        for start in range(0, output.shape[2], BLOCK):
            out_left, out_right = output[row, 0, start : start + BLOCK], output[row, 1, start : start + BLOCK]
            count = out_left.size
            left, right = signal[row, 0, start : start + count], signal[row, 1, start : start + count]
            kept = envelope[row, start : start + count]
            for k in range(count):
                gain[k] = np.float32(0.5) * (left[k] * left[k] + right[k] * right[k])
            for k in range(count):
                state = pole * state + (1 - pole) * gain[k]
                kept[k] = state
            for k in range(count):
                over[k] = kept[k] + floor
            _log(over, other, scratch, bits, count)
            for k in range(count):
                d = sign * (over[k] - threshold)
                inside = min(max((d + half_knee) * slope, zero), one)
                gain[k] = rate * (half_knee * inside * inside + max(d - half_knee, zero))
            _exp(gain, scratch, bits, count)
            for k in range(count):
                factor = one + weight * (gain[k] - one)
                out_left[k] = left[k] * factor
                out_right[k] = right[k] * factor


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def backward(rows, grad, signal, envelope, settings, sign, floor, grad_signal, grad_settings):
    """Gradients of `forward` in the signal and the five settings of some rows, block by block from the end."""
    for row in rows:
        threshold, rate, half_knee, smoothing, weight = settings[row]
        one, zero, slope = np.float32(1), np.float32(0), np.float32(0.5) / half_knee
        over, gain, toward = np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32)
        scratch, other, before = np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32)
        bits = scratch.view(np.int32)
        pole, state = np.float64(smoothing), np.float64(0)
        fresh = np.float32(1 - pole)
        sums = np.zeros(5)
        for start in range((grad_signal.shape[2] - 1) // BLOCK * BLOCK, -1, -BLOCK):
            to_left, to_right = grad_signal[row, 0, start : start + BLOCK], grad_signal[row, 1, start : start + BLOCK]
            count = to_left.size
            left, right = signal[row, 0, start : start + count], signal[row, 1, start : start + count]
            grad_left, grad_right = grad[row, 0, start : start + count], grad[row, 1, start : start + count]
            kept = envelope[row, start : start + count]
            before[0] = envelope[row, start - 1] if start > 0 else zero
            for k in range(1, count):
                before[k] = kept[k - 1]
            for k in range(count):
                over[k] = kept[k] + floor
            _log(over, other, scratch, bits, count)
            for k in range(count):
                over[k] = sign * (over[k] - threshold)
                inside = min(max((over[k] + half_knee) * slope, zero), one)
                gain[k] = rate * (half_knee * inside * inside + max(over[k] - half_knee, zero))
            _exp(gain, scratch, bits, count)
            of_threshold, of_rate, of_knee, of_pole, of_weight = zero, zero, zero, zero, zero
            for k in range(count):
                product = grad_left[k] * left[k] + grad_right[k] * right[k]
                of_weight += product * (gain[k] - one)
                of_log = weight * product * gain[k]
                inside = min(max((over[k] + half_knee) * slope, zero), one)
                of_rate += of_log * (half_knee * inside * inside + max(over[k] - half_knee, zero))
                of_over = of_log * rate * inside
                of_knee += of_over * (one - inside)
                of_threshold -= sign * of_over
                toward[k] = sign * of_over / (kept[k] + floor)
            for back in range(count):
                k = count - 1 - back
                state = pole * state + toward[k]
                toward[k] = state
            for k in range(count):
                energy = np.float32(0.5) * (left[k] * left[k] + right[k] * right[k])
                of_pole += toward[k] * (before[k] - energy)
                factor = one + weight * (gain[k] - one)
                of_energy = fresh * toward[k]
                to_left[k] = grad_left[k] * factor + of_energy * left[k]
                to_right[k] = grad_right[k] * factor + of_energy * right[k]
            sums[0] += of_threshold
            sums[1] += of_rate
            sums[2] += of_knee
            sums[3] += of_pole
            sums[4] += of_weight
        for place in range(5):
            grad_settings[row, place] = sums[place]
