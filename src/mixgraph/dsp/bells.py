"""An equaliser curve as a few bells and shelves, as an engineer would set them on a channel strip.

Shapes: the analogue prototypes of Bristow-Johnson's Audio EQ Cookbook. They are found one by one, each time the shape
and place that lower the error most, all fitted again together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy.optimize import least_squares

from mixgraph.dsp.units import hz_text, number

Shape = Literal["low_shelf", "bell", "high_shelf"]
SHAPES: Final[tuple[Shape, ...]] = ("low_shelf", "bell", "high_shelf")
MOST: Final = 4
CLOSE_DB: Final = 0.7  # no more bands once the error is that small
WORTH: Final = 0.92  # nor when one more leaves more than this share of it
MENTIONED_DB: Final = 0.5
SHELF_Q: Final = 0.5**0.5
Q_RANGE: Final = (0.35, 8.0)
MOST_DB: Final = 18.0  # what the knobs of channel strips reach
RESTRAINT: Final = 0.04  # keeps large gains from cancelling one another
CLOSE: Final = 1e-4  # relative changes below it are none
WIDE_Q, NARROW_Q = 0.9, 2.5
LOWEST_HZ: Final = 30.0
PER_OCTAVE: Final = 12
SMOOTH_OCTAVES: Final = 1 / 6
FLOOR: Final = 1e-6  # -120 dB


@dataclass(frozen=True)
class Band:
    """One band of a channel strip's equaliser; the `q` of shelves is fixed."""

    shape: Shape
    hz: float
    gain_db: float
    q: float

    def curve_db(self, hz: np.ndarray) -> np.ndarray:
        """Its magnitude at frequencies."""
        return _curve_db(self.shape, hz, self.hz, self.gain_db, self.q)

    def __str__(self) -> str:
        gain = f"{number(self.gain_db, sign=True)} dB"
        if self.shape == "bell":
            width = " (wide)" if self.q < WIDE_Q else " (narrow)" if self.q > NARROW_Q else ""
            return f"{gain} at {hz_text(self.hz)}{width}"
        return f"{gain} {'below' if self.shape == 'low_shelf' else 'above'} {hz_text(self.hz)}"


@dataclass(frozen=True)
class Strip:
    """Bands from low to high and a level; `residual_db` is the weighted RMS of what they leave of the curve."""

    bands: tuple[Band, ...]
    level_db: float
    residual_db: float

    def curve_db(self, hz: np.ndarray) -> np.ndarray:
        """The magnitude of all of it."""
        return self.level_db + sum((band.curve_db(hz) for band in self.bands), np.zeros(len(hz)))

    def __str__(self) -> str:
        said = [str(band) for band in self.bands if abs(band.gain_db) >= MENTIONED_DB]
        if abs(self.level_db) >= MENTIONED_DB:
            said.append(f"{number(self.level_db, sign=True)} dB overall")
        return ", ".join(said or ["flat"]) + f" (within {number(self.residual_db)} dB)"


def log_curve_db(gain: np.ndarray, sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Log-spaced frequencies, and in dB what a magnitude `gain (bin,)` of a real FFT is there, smoothed a little."""
    nyquist = sample_rate / 2
    octaves = np.log2(0.95 * nyquist / LOWEST_HZ)
    hz = LOWEST_HZ * 2 ** (np.arange(int(octaves * PER_OCTAVE) + 1) / PER_OCTAVE)
    gain_db = 20 * np.log10(np.maximum(np.abs(gain), FLOOR))
    bins, sums = np.linspace(0, nyquist, len(gain)), np.append(0, np.cumsum(gain_db))
    low, high = (np.searchsorted(bins, hz * 2.0**side) for side in (-SMOOTH_OCTAVES / 2, SMOOTH_OCTAVES / 2))
    return hz, (sums[high] - sums[low]) / (high - low)


def fit_strip(hz: np.ndarray, curve_db: np.ndarray, weights: np.ndarray) -> Strip:
    """The strip that comes near to a curve over log-spaced frequencies, where `weights` say that it matters."""
    weights = weights / np.sqrt(np.mean(np.square(weights)))
    curve_db = np.clip(curve_db, -MOST_DB, MOST_DB)
    shapes: tuple[Shape, ...] = ()
    values, error = _fit(shapes, np.array([np.average(curve_db, weights=weights**2)]), hz, curve_db, weights)
    while len(shapes) < MOST and error > CLOSE_DB:
        left = curve_db - _model(shapes, values, hz)
        tried: list[tuple[np.ndarray, float, Shape]] = []
        for shape in SHAPES:
            if shape == "bell" or shape not in shapes:
                start = np.append(values, _start(shape, hz, left * weights))
                tried.append((*_fit((*shapes, shape), start, hz, curve_db, weights), shape))
        best, least, chosen = min(tried, key=lambda trial: trial[1])
        if least > WORTH * error:
            break
        shapes = (*shapes, chosen)
        values, error = best, least
    bands = [
        Band(shape, 2.0**octave, gain, 2.0**q if shape == "bell" else SHELF_Q)
        for shape, (octave, gain, q) in zip(shapes, values[1:].reshape(-1, 3).tolist(), strict=True)
    ]
    return Strip(tuple(sorted(bands, key=lambda band: band.hz)), float(values[0]), error)


def _fit(
    shapes: Sequence[Shape], start: np.ndarray, hz: np.ndarray, curve_db: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, float]:
    """Values of the level and the bands `(octave, gain, log2 q)`, and the weighted RMS error."""

    def residual(values: np.ndarray) -> np.ndarray:
        miss = weights * (_model(shapes, values, hz) - curve_db) / np.sqrt(len(hz))
        return np.append(miss, RESTRAINT * values[2::3])

    octaves, qs = np.log2(hz[[0, -1]]), np.log2(Q_RANGE)
    low = [-MOST_DB, *([octaves[0], -MOST_DB, qs[0]] * len(shapes))]
    high = [MOST_DB, *([octaves[1], MOST_DB, qs[1]] * len(shapes))]
    inside = np.clip(start, np.array(low) + 1e-6, np.array(high) - 1e-6)
    values = least_squares(residual, inside, bounds=(low, high), ftol=CLOSE, xtol=CLOSE, max_nfev=40).x
    return values, float(np.linalg.norm(residual(values)[: len(hz)]))


def _start(shape: Shape, hz: np.ndarray, left_db: np.ndarray) -> list[float]:
    """A first guess: bells where most is left, shelves a quarter in from their end."""
    if shape == "bell":
        smooth = np.convolve(left_db, np.ones(5) / 5, "same")
        peak = int(np.abs(smooth).argmax())
        return [np.log2(hz[peak]), smooth[peak], 0.0]
    quarter = len(hz) // 4
    place, part = (quarter, left_db[:quarter]) if shape == "low_shelf" else (-quarter, left_db[-quarter:])
    return [np.log2(hz[place]), part.mean(), 0.0]


def _model(shapes: Sequence[Shape], values: np.ndarray, hz: np.ndarray) -> np.ndarray:
    total = np.full(len(hz), values[0])
    for shape, (octave, gain, q) in zip(shapes, values[1:].reshape(-1, 3), strict=True):
        total += _curve_db(shape, hz, 2.0**octave, gain, 2.0**q if shape == "bell" else SHELF_Q)
    return total


def _curve_db(shape: Shape, hz: np.ndarray, centre_hz: float, gain_db: float, q: float) -> np.ndarray:
    x, a = hz / centre_hz, 10 ** (gain_db / 40)
    if shape == "bell":
        around = np.square(1 - x * x)
        return 10 * np.log10((around + np.square(x * a / q)) / (around + np.square(x / (a * q))))
    if shape == "high_shelf":
        x = 1 / x
    slope = a * np.square(x / q)
    return 10 * np.log10(a * a * (np.square(a - x * x) + slope) / (np.square(1 - a * x * x) + slope))
