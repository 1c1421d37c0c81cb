"""Compressors and gates in the terms of other people's: attack and release times, and a knee without dry share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy.optimize import least_squares

STEP_DB: Final = 10.0
RATIO_RANGE: Final = (1.0, 100.0)
KNEE_RANGE_DB: Final = (0.01, 40.0)


@dataclass(frozen=True)
class AttackRelease:
    """Time constants in ms: how long the level in dB takes for 63 % of a step up, and of one down."""

    attack_ms: float
    release_ms: float


def attack_release(smoothing_ms: float, step_db: float = STEP_DB) -> AttackRelease:
    """What a one-pole over the energy does to steps of the level, as time constants of a smoother in dB.

    A step up of S dB leaves the energy 1 - (1 - 10^(-S/10)) exp(-t/T) of the new one, a step down
    10^(-S/10) + (1 - 10^(-S/10)) exp(-t/T) of the old one; solved for t where S/e dB are left.
    """
    low = 10 ** (-step_db / 10)
    up = (1 - 10 ** (-step_db / math.e / 10)) / (1 - low)
    down = (10 ** (-step_db * (1 - 1 / math.e) / 10) - low) / (1 - low)
    return AttackRelease(-math.log(up) * smoothing_ms, -math.log(down) * smoothing_ms)


@dataclass(frozen=True)
class StaticCurve:
    """A fully wet compressor (sign 1) or downward expander (-1); levels are of the mean square, full scale 0 dB.

    `error_db` is the weighted RMS of what it misses of the gain that it was fitted to.
    """

    sign: Literal[1, -1]
    threshold_db: float
    ratio: float
    knee_db: float
    error_db: float

    def gain_db(self, levels_db: np.ndarray) -> np.ndarray:
        """The gain at levels."""
        return _gain_db(levels_db, self.sign, self.threshold_db, self.ratio, self.knee_db)


def fit_static_curve(
    levels_db: np.ndarray,
    gain_db: np.ndarray,
    sign: Literal[1, -1],
    start: tuple[float, float, float],
    weights: np.ndarray | None = None,
) -> StaticCurve:
    """The curve nearest to a gain over levels, say one with a dry share; `start` is (threshold, ratio, knee)."""
    weights = np.ones(len(levels_db)) if weights is None else weights
    weights = weights / np.sqrt(np.mean(np.square(weights)))

    def miss(values: np.ndarray) -> np.ndarray:
        threshold, ratio, knee = values[0], *np.exp(values[1:])
        return weights * (_gain_db(levels_db, sign, threshold, ratio, knee) - gain_db) / math.sqrt(len(levels_db))

    (low_r, high_r), (low_k, high_k) = np.log(RATIO_RANGE), np.log(KNEE_RANGE_DB)
    low, high = [levels_db.min() - 20, low_r, low_k], [levels_db.max() + 20, high_r, high_k]
    first = np.clip([start[0], *np.log(start[1:])], np.add(low, 1e-6), np.subtract(high, 1e-6))
    values = least_squares(miss, first, bounds=(low, high)).x
    threshold, ratio, knee = (float(value) for value in (values[0], *np.exp(values[1:])))
    return StaticCurve(sign, threshold, ratio, knee, float(np.linalg.norm(miss(values))))


def _gain_db(levels_db: np.ndarray, sign: int, threshold: float, ratio: float, knee: float) -> np.ndarray:
    """The quadratic knee of Giannoulis, Massberg and Reiss (JAES 60(6), 2012), eq. 4."""
    over, half = sign * (levels_db - threshold), knee / 2
    bent = np.where(over < half, np.square(np.maximum(over + half, 0)) / (4 * half), over)
    return (1 / ratio - 1 if sign == 1 else 1 - ratio) * bent
