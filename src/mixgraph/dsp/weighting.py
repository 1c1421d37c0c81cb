"""A-weighting as a short linear-phase FIR, by the method of auraloss (Steinmetz and Reiss 2020; IEC 61672)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from mixgraph.errors import ConfigError

POLES_HZ = (20.598997, 107.65265, 737.86223, 12194.217)
GAIN_AT_1_KHZ_DB = 1.9997
FREQUENCIES = 512


@lru_cache(maxsize=16)
def a_weighting_taps(sample_rate: int, taps: int = 101) -> np.ndarray:
    """Taps `(taps,)` float64, symmetric, read-only: least-squares fit to the bilinear transform of the analogue curve.

    Raises `ConfigError` for an even number of taps, which could not be centred.
    """
    if taps % 2 == 0:
        raise ConfigError(f"weighting_taps = {taps}: an odd number is needed; try {taps + 1}")
    angle = np.pi * np.arange(FREQUENCIES) / FREQUENCIES
    # The bilinear transform evaluates the analogue curve at a warped frequency.
    s = 2j * sample_rate * np.tan(angle / 2)
    w1, w2, w3, w4 = (2 * np.pi * pole for pole in POLES_HZ)
    response = w4**2 * s**4 / ((s + w1) ** 2 * (s + w2) * (s + w3) * (s + w4) ** 2)
    gain = 10 ** (GAIN_AT_1_KHZ_DB / 20)
    fitted = _least_squares(taps, angle.reshape(-1, 2) / np.pi, gain * np.abs(response).reshape(-1, 2))
    fitted.setflags(write=False)
    return fitted


def _least_squares(taps: int, bands: np.ndarray, desired: np.ndarray) -> np.ndarray:
    """The symmetric FIR nearest to magnitudes that go in lines over `bands (band, 2)`, of 0 to 1 (Nyquist).

    As `scipy.signal.firls`, whose package takes half a second and 50 MB to load, at the start of every command.
    """
    # Of sum over k of a_k cos(pi k f): the integrals of products of two cosines, and of each with the lines.
    k = np.arange(taps)[:, None, None]
    ends = bands * np.sinc(bands * k)
    overlap = np.diff(ends)[..., 0].sum(1)
    half = taps // 2 + 1
    row, column = np.indices((half, half))
    slope = np.diff(desired) / np.diff(bands)
    offset = desired[:, :1] - slope * bands[:, :1]
    k, ends = k[:half], ends[:half] * (slope * bands + offset)
    ends[0] -= slope * bands**2 / 2
    ends[1:] += slope * np.cos(np.pi * k[1:] * bands) / (np.pi * k[1:]) ** 2
    cosines = np.linalg.solve(overlap[abs(row - column)] + overlap[row + column], np.diff(ends)[..., 0].sum(1))
    return np.concatenate([cosines[:0:-1], 2 * cosines[:1], cosines[1:]])
