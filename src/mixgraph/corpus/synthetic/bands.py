"""Magnitudes of the bands of a parametric equaliser: the analogue prototypes of R. Bristow-Johnson's EQ Cookbook."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

BUTTERWORTH_Q = math.sqrt(0.5)
DEEPEST_DB = -40.0


def bell_db(hz: np.ndarray, centre_hz: float, gain_db: float, q: float) -> np.ndarray:
    """A bell: `gain_db` at its centre, none far from it."""
    a = 10 ** (gain_db / 40)
    return _magnitude_db([1, a / q, 1], [1, 1 / (a * q), 1], hz / centre_hz)


def low_shelf_db(hz: np.ndarray, corner_hz: float, gain_db: float) -> np.ndarray:
    """A shelf with `gain_db` far below its corner, half of it there."""
    a = 10 ** (gain_db / 40)
    slope = math.sqrt(a) / BUTTERWORTH_Q
    return _magnitude_db([a, a * slope, a * a], [a, slope, 1], hz / corner_hz)


def high_shelf_db(hz: np.ndarray, corner_hz: float, gain_db: float) -> np.ndarray:
    """A shelf with `gain_db` far above its corner, half of it there."""
    a = 10 ** (gain_db / 40)
    slope = math.sqrt(a) / BUTTERWORTH_Q
    return _magnitude_db([a * a, a * slope, a], [1, slope, a], hz / corner_hz)


def high_pass_db(hz: np.ndarray, corner_hz: float) -> np.ndarray:
    """A Butterworth high-pass of second order: -3 dB at its corner."""
    return _magnitude_db([1, 0, 0], [1, 1 / BUTTERWORTH_Q, 1], hz / corner_hz)


def _magnitude_db(numerator: Sequence[float], denominator: Sequence[float], ratio: np.ndarray) -> np.ndarray:
    """20 log10 |H(j ratio)| of polynomials in s, the highest power first; `DEEPEST_DB` at least."""
    gain = np.abs(np.polyval(numerator, 1j * ratio) / np.polyval(denominator, 1j * ratio))
    return 20 * np.log10(np.maximum(gain, 10 ** (DEEPEST_DB / 20)))
