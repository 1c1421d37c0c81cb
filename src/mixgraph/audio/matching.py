"""Where one signal lies in another: whitened windows of the one are looked for in the other, and vote for a line.

The correlation is the generalised one of Knapp and Carter, "The generalized correlation method for estimation of time
delay", IEEE Trans. ASSP 24(4), 1976, between PHAT and none; its sign, a polarity, does not count. The vote is a Hough
transform.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import soxr
from scipy import fft, signal
from scipy.ndimage import uniform_filter1d
from scipy.signal import windows

from mixgraph.audio.drift import MAX_DRIFT, fit_drift

WINDOW_SECONDS = 2.0  # a clock that is off by 300 ppm shifts by 0.6 ms within it
MAX_WINDOWS = 48
QUIET = 1e-4  # of the loudest window's energy: nothing is looked for in a quieter one
BIN_SECONDS = 1e-3  # of the vote
NEAR_SECONDS = 3e-3  # rivals are farther apart: a peak has skirts
FAR_SECONDS = 1.0  # from here on a rival may be the same music again
FEW_WINDOWS = 3  # cannot tell music from its repeats, unless the line stands out so much more:
STAND_OUT = 1.45
LEAN = 0.27  # how much less than the margin may be left without the window that votes most for the line
REFINED_SECONDS = 5e-3  # to both sides of the line that won
HEARD = 2.0  # times the median vote: a refined peak is one
STRAIGHTEN = 15e-6  # a drift from here on blurs the peaks of the windows
LOOKS = 3
TAPERED = 0.01  # of a window: its cut ends would click, and clicks are all there is in a band without signal
FRAME_SECONDS = 0.064  # of the whitening
SMOOTHED_BINS = 9
FLOOR = 1e-4  # of the mean power: what is weaker, say beyond the cutoff of a codec, says nothing and is not lifted


@dataclass(frozen=True)
class Line:
    """At time t (s) of a signal it lies `lag + drift * t` (s) later in another; `drift_error` is a standard error.

    `margin` is how much better it fits than the best other line: about 1 for chance, and for what repeats. `heard_at`
    is the time around which what was found is.
    """

    lag: float
    drift: float
    drift_error: float
    margin: float
    heard_at: float


class Elected(NamedTuple):
    """The line that most windows vote for, to the width of a bin, and its margin."""

    lag: float
    drift: float
    margin: float


def whiten(samples: np.ndarray, rate: int) -> np.ndarray:
    """Float32 (samples,) with like power in all bands at all times, but for those where there is next to none."""
    size = 1 << round(math.log2(FRAME_SECONDS * rate))
    frames = signal.ShortTimeFFT(np.sqrt(signal.get_window("hann", size)), size // 2, rate)
    padded = np.pad(samples, (0, max(0, size - len(samples))))
    spectrum = frames.stft(padded)
    power = uniform_filter1d(np.abs(spectrum) ** 2, SMOOTHED_BINS, axis=0, mode="nearest")
    spectrum /= np.sqrt(power + FLOOR * power.mean() + np.finfo(np.float32).tiny)
    return frames.istft(spectrum, k1=len(padded))[: len(samples)].astype(np.float32)


def find_line(
    sought: np.ndarray, start: float, white: np.ndarray, rate: int, reach: float, drift: float = 0.0
) -> Line | None:
    """Looks for `sought` (samples,), believed to start at `start` (s), in `white` (channels, samples): whitened.

    `reach` (s) is how far it may be off to both sides, `drift` a first guess of it. None where nothing of it is loud
    enough or could overlap.
    """
    line = None
    for _ in range(LOOKS):
        # Stretched by what is known of the drift: what was at t is then at (1 + drift) * t.
        stretched = soxr.resample(sought, rate, rate * (1 + drift)) if drift else sought
        rest = _look(stretched, round(start * rate), white, rate, reach)
        if rest is None:
            return None
        line = replace(rest, drift=(1 + drift) * (1 + rest.drift) - 1)
        if abs(rest.drift) < STRAIGHTEN or abs(line.drift) > MAX_DRIFT:
            break
        drift = line.drift
    return line


def _look(sought: np.ndarray, first: int, white: np.ndarray, rate: int, reach: float) -> Line | None:
    """As `find_line`, for drifts that do not blur; `first` is the start in samples."""
    size, far = round(WINDOW_SECONDS * rate), round(reach * rate)
    starts = _loud_windows(sought, size, max(0, -first - far - size), white.shape[1] - first + far + size)
    if not starts:
        return None
    source, times = whiten(sought, rate), (np.array(starts) + size / 2) / rate
    bin_size = max(1, round(BIN_SECONDS * rate))
    bins = -(-2 * far // bin_size)
    votes = np.stack(
        [
            _correlate(source[at : at + size], white, first + at - far, bins * bin_size)
            .reshape(bins, bin_size)
            .max(axis=1)
            for at in starts
        ]
    )
    elected = _elect(votes, times, bin_size / rate, far / rate)
    near = round(REFINED_SECONDS * rate)
    spots, lags, heights = [], [], []
    # Overlapping ones this time: more points for the line.
    for at in sorted({at + shift for at in starts for shift in (0, size // 2)}):
        time = (at + size / 2) / rate
        begin = round((elected.lag + elected.drift * time) * rate) - near
        peak, height = _summit(_correlate(source[at : at + size], white, first + at + begin, 2 * near + 1))
        spots.append(time)
        lags.append((begin + peak) / rate)
        heights.append(height)
    heard = np.array(heights) > HEARD * np.median(votes)
    if not heard.any():
        return Line(elected.lag, 0.0, MAX_DRIFT, elected.margin, float(times.mean()))
    fitted = fit_drift(np.array(spots)[heard], np.array(lags)[heard], 0.1 / rate)
    return Line(fitted.lag, fitted.slope, fitted.error, elected.margin, float(np.mean(np.array(spots)[heard])))


def _loud_windows(sought: np.ndarray, size: int, low: int, high: int) -> list[int]:
    """Where windows start: the loudest of each of up to `MAX_WINDOWS` equal parts of `sought[low:high]`."""
    high = min(high, len(sought))
    if low >= high:
        return []
    starts = np.arange(low, max(low + 1, high - size + 1), size)
    energy = np.array([np.square(sought[start : start + size], dtype=np.float64).sum() for start in starts])
    parts = np.array_split(np.arange(len(starts)), min(MAX_WINDOWS, len(starts)))
    loudest = [part[energy[part].argmax()] for part in parts]
    return [int(starts[index]) for index in loudest if energy[index] > QUIET * energy.max()]


def _correlate(window: np.ndarray, white: np.ndarray, start: int, lags: int) -> np.ndarray:
    """How well a window fits at samples `start`, `start + 1`, ... of `white`: magnitudes (lags,), over all channels."""
    end = start + lags + len(window) - 1
    low, high = max(start, 0), min(end, white.shape[1])
    if low >= high:
        return np.zeros(lags, np.float32)
    section = np.zeros((len(white), end - start), np.float32)
    section[:, low - start : high - start] = white[:, low:high]
    window = window * windows.tukey(len(window), TAPERED).astype(np.float32)
    size = fft.next_fast_len(end - start, real=True)
    cross = np.asarray(fft.rfft(section, size)) * np.conj(np.asarray(fft.rfft(window, size)))
    # Half way to PHAT: a tone shall not outvote the rest, and neither shall bands without signal.
    cross /= np.sqrt(np.abs(cross) + np.finfo(np.float32).tiny)
    return np.abs(np.asarray(fft.irfft(cross, size))[:, :lags]).sum(axis=0)


def _elect(votes: np.ndarray, times: np.ndarray, bin_seconds: float, reach: float) -> Elected:
    """The best line through votes (windows, bins), the first bin being a lag of -`reach` (s)."""
    middle, half = (times[0] + times[-1]) / 2, (times[-1] - times[0]) / 2
    steps = math.ceil(MAX_DRIFT * half / bin_seconds)
    drifts = np.linspace(-MAX_DRIFT, MAX_DRIFT, 2 * steps + 1) if steps else np.zeros(1)
    shifts = steps + np.round(np.outer(drifts, times - middle) / bin_seconds).astype(int)
    padded, bins = np.pad(votes, ((0, 0), (steps, steps))), votes.shape[1]
    best, which = _count(padded, shifts, bins)
    peak, near = int(best.argmax()), round(NEAR_SECONDS / bin_seconds)
    there = peak + shifts[which[peak]]
    support = [row[max(0, at - 1) : at + 2].max() - np.median(row) for row, at in zip(padded, there, strict=True)]
    margin = _margin_of(best, peak, near)
    if len(votes) <= FEW_WINDOWS and (repeat := _highest(best, peak, round(FAR_SECONDS / bin_seconds))):
        margin = min(margin, best[peak] / repeat / STAND_OUT)
    # One window fits somewhere by chance, and a single hit wherever there is one like it: the others must agree.
    strongest = int(np.argmax(support))
    rest, _ = _count(np.delete(padded, strongest, axis=0), np.delete(shifts, strongest, axis=1), bins)
    margin = min(margin, LEAN + _margin_of(rest, peak, near))
    drift = float(drifts[which[peak]])
    return Elected((peak + 0.5) * bin_seconds - reach - drift * middle, drift, float(margin))


def _count(padded: np.ndarray, shifts: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Votes for the best of the lines (lines, windows) through each bin (bins,), and which that is."""
    best, which = np.zeros(bins, np.float32), np.zeros(bins, int)
    for line, row_shifts in enumerate(shifts):
        total = np.sum([row[shift : shift + bins] for row, shift in zip(padded, row_shifts, strict=True)], axis=0)
        which[total > best] = line
        best = np.maximum(best, total)
    return best, which


def _margin_of(votes: np.ndarray, peak: int, near: int) -> float:
    """How much more votes there are around a peak than elsewhere: 0 where there are none."""
    rival = _highest(votes, peak, near)
    return float(votes[max(0, peak - near) : peak + near + 1].max() / rival) if rival else 0.0


def _highest(votes: np.ndarray, peak: int, near: int) -> float:
    """The most votes farther than `near` from a peak."""
    return float(max(votes[: max(0, peak - near)].max(initial=0), votes[peak + near + 1 :].max(initial=0)))


def _summit(height: np.ndarray) -> tuple[float, float]:
    """Where the highest peak is, between samples by a parabola, and how high it is."""
    peak = int(height[1:-1].argmax()) + 1
    before, top, after = (float(value) for value in height[peak - 1 : peak + 2])
    bend = before - 2 * top + after
    return peak + (0.5 * (before - after) / bend if bend < 0 and top >= max(before, after) else 0.0), top
