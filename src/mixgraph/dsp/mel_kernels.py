"""Compiled loops of the audio loss: mel bands of left, right, l + r and l - r from spectra of frames, and the way back.

Spectra are `(channel, frame, 2 * bin)`, real and imaginary parts in turn. A task is frames `first` to `last`. A band
is a short stretch of bins, `edges (band, 2)`, so its sum costs little; four magnitudes of a frame stay in the cache.
"""

from __future__ import annotations

import numpy as np
from numba import njit

FAST = {"contract", "reassoc", "nsz", "arcp"}


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy", inline="always")
def _powers(left, right, powers, bins):
    """Squared magnitudes of left, right, l + r and l - r."""
    for k in range(bins):
        powers[0, k] = left[2 * k] ** 2 + left[2 * k + 1] ** 2
    for k in range(bins):
        powers[1, k] = right[2 * k] ** 2 + right[2 * k + 1] ** 2
    for k in range(bins):
        powers[2, k] = (left[2 * k] + right[2 * k]) ** 2 + (left[2 * k + 1] + right[2 * k + 1]) ** 2
    for k in range(bins):
        powers[3, k] = (left[2 * k] - right[2 * k]) ** 2 + (left[2 * k + 1] - right[2 * k + 1]) ** 2


@njit(cache=True, nogil=True, fastmath=FAST - {"reassoc"}, error_model="numpy")
def forward(tasks, spectrum, bank, edges, floor, mel):
    """mel[channel, frame, band] = sum over bins of max(|X|, floor) times the band's weight `bank (band, bin)`."""
    bins = bank.shape[1]
    magnitudes, zero = np.empty((4, bins), np.float32), np.float32(0)
    for first, last in tasks:
        for frame in range(first, last):
            _powers(spectrum[0, frame], spectrum[1, frame], magnitudes, bins)
            for channel in range(4):
                values = magnitudes[channel]
                for k in range(bins):
                    values[k] = max(np.sqrt(values[k]), floor)
            left, right, mid, side = magnitudes[0], magnitudes[1], magnitudes[2], magnitudes[3]
            for band in range(len(bank)):
                weights, of_left, of_right, of_mid, of_side = bank[band], zero, zero, zero, zero
                # Four sums at once, in order: stretches are too short to be cut into vectors.
                for k in range(edges[band, 0], edges[band, 1]):
                    of_left += left[k] * weights[k]
                    of_right += right[k] * weights[k]
                    of_mid += mid[k] * weights[k]
                    of_side += side[k] * weights[k]
                mel[0, frame, band], mel[1, frame, band] = of_left, of_right
                mel[2, frame, band], mel[3, frame, band] = of_mid, of_side


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def backward(tasks, grad, spectrum, bank, edges, floor, outcome):
    """The gradient of the frames' samples as spectra whose first and last bin count twice."""
    bins = bank.shape[1]
    powers, slopes = np.empty((4, bins), np.float32), np.empty((4, bins), np.float32)
    for first, last in tasks:
        for frame in range(first, last):
            left, right = spectrum[0, frame], spectrum[1, frame]
            _powers(left, right, powers, bins)
            for channel in range(4):
                slope, power = slopes[channel], powers[channel]
                slope[:] = np.float32(0)
                for band in range(len(bank)):
                    weights, given = bank[band], grad[channel, frame, band]
                    for k in range(edges[band, 0], edges[band, 1]):
                        slope[k] += given * weights[k]
                # d|X| / dX = X / |X|, and zero where the floor holds.
                for k in range(bins):
                    above = slope[k] / np.sqrt(max(power[k], floor * floor))
                    slope[k] = above if power[k] > floor * floor else np.float32(0)
                slope[0] *= np.float32(2)
                slope[bins - 1] *= np.float32(2)
            to_left, to_right = outcome[0, frame], outcome[1, frame]
            for k in range(bins):
                own, same, other = slopes[0, k], slopes[2, k] + slopes[3, k], slopes[2, k] - slopes[3, k]
                to_left[2 * k] = (own + same) * left[2 * k] + other * right[2 * k]
                to_left[2 * k + 1] = (own + same) * left[2 * k + 1] + other * right[2 * k + 1]
            for k in range(bins):
                own, same, other = slopes[1, k], slopes[2, k] + slopes[3, k], slopes[2, k] - slopes[3, k]
                to_right[2 * k] = (own + same) * right[2 * k] + other * left[2 * k]
                to_right[2 * k + 1] = (own + same) * right[2 * k + 1] + other * left[2 * k + 1]
