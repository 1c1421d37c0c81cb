"""A line through lags over time, some of which are wrong: its height is an offset, its slope the drift of a clock."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import siegelslopes

MAX_DRIFT = 500e-6  # consumer clocks differ by 100e-6 at most
MAX_ERROR = 100e-6  # standard error from which on a slope is no finding
MIN_POINTS = 4
OUTLIER = 3.0  # standard deviations


class Drift(NamedTuple):
    """The line `lag + slope * time`, both in seconds; `error` is the slope's standard error, `MAX_DRIFT` if unknown."""

    lag: float
    slope: float
    error: float


def fit_drift(times: np.ndarray, lags: np.ndarray, resolution: float) -> Drift:
    """The line through lags (s) at times (s) that each are good to `resolution` (s); up to half may be anything.

    Repeated medians (Siegel, "Robust regression using repeated medians", Biometrika 69(1), 1982) say which are wrong,
    least squares do the rest. Where that does not settle the slope it is 0, and the lag their median.
    """
    unknown = Drift(float(np.median(lags)), 0.0, MAX_DRIFT)
    if len(times) < MIN_POINTS:
        return unknown
    slope, lag = siegelslopes(lags, times)
    distance = np.abs(lags - (lag + slope * times))
    kept = distance <= OUTLIER * max(1.4826 * float(np.median(distance)), resolution)
    if kept.sum() < MIN_POINTS:
        return unknown
    (slope, lag), covariance = np.polyfit(times[kept], lags[kept], 1, cov=True)
    error = float(np.sqrt(covariance[0, 0]))
    # Lags are rounded together too: they can all lie on a line that is wrong.
    error = max(error, resolution / (float(np.ptp(times[kept])) * float(np.sqrt(kept.sum()))))
    return Drift(float(lag), float(slope), error) if error < MAX_ERROR and abs(slope) < 2 * MAX_DRIFT else unknown
