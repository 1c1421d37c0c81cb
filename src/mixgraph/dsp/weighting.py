"""A-weighting as a short linear-phase FIR, by the method of auraloss (Steinmetz and Reiss 2020; IEC 61672)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import scipy.signal

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
    fitted = scipy.signal.firls(taps, angle / np.pi, gain * np.abs(response))
    fitted.setflags(write=False)
    return fitted
