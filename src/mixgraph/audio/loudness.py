"""How loud tracks are, how loud and wide a mix is: ITU-R BS.1770 over all of it, and both over time."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from mixgraph.audio.song import Song

if TYPE_CHECKING:
    from pyloudnorm import Meter

BLOCK_SECONDS: Final = 0.4  # of the integrated loudness
SHORT_TERM_SECONDS: Final = 3.0  # EBU Tech 3341
SHORT_TERM_HOP: Final = 1.0
SILENCE_DB: Final = -70.0  # the absolute gate of BS.1770


@dataclass(frozen=True)
class Curve:
    """Values over time, each at the middle of what it was measured on; NaN where there was silence."""

    seconds: np.ndarray
    values: np.ndarray


def integrated_lufs(signal: np.ndarray, sample_rate: int) -> float:
    """Integrated loudness of `(2, samples)`; minus infinity for silence, and for what is shorter than a block."""
    if signal.shape[-1] < BLOCK_SECONDS * sample_rate:
        return -math.inf
    return _measure(_meter(sample_rate, BLOCK_SECONDS), signal)


def track_lufs(song: Song, tracks: Iterable[str]) -> dict[str, float | None]:
    """Integrated loudness of dry tracks; None for silence and for what is shorter than a block."""
    found = {track: integrated_lufs(song.track(track), song.sample_rate) for track in tracks}
    return {track: lufs if math.isfinite(lufs) else None for track, lufs in found.items()}


def short_term_lufs(signal: np.ndarray, sample_rate: int) -> Curve:
    """Short-term loudness, every second; empty for a song shorter than its window."""
    if signal.shape[-1] < SHORT_TERM_SECONDS * sample_rate:
        return Curve(np.zeros(0), np.zeros(0))
    meter = _meter(sample_rate, SHORT_TERM_SECONDS, overlap=1 - SHORT_TERM_HOP / SHORT_TERM_SECONDS)
    _measure(meter, signal)
    values = np.array(meter.blockwise_loudness, float)
    return Curve(_middles(len(values)), np.where(values >= SILENCE_DB, values, np.nan))


def width_db(signal: np.ndarray, sample_rate: int) -> Curve:
    """Level of side over that of mid (dB) in the windows of the short-term loudness."""
    hop, window = round(SHORT_TERM_HOP * sample_rate), round(SHORT_TERM_SECONDS * sample_rate)
    if signal.shape[-1] < window:
        return Curve(np.zeros(0), np.zeros(0))
    mid_side = np.stack([signal[0] + signal[1], signal[0] - signal[1]]) / 2
    sums = np.pad(np.cumsum(np.square(mid_side, dtype=np.float64), axis=1), ((0, 0), (1, 0)))
    starts = np.arange(0, signal.shape[-1] - window + 1, hop)
    mid, side = (sums[:, starts + window] - sums[:, starts]) / window
    heard = mid + side > 10 ** (SILENCE_DB / 10)
    ratio = 10 * np.log10(np.maximum(side, 1e-12) / np.maximum(mid, 1e-12))
    return Curve(_middles(len(starts)), np.where(heard, ratio, np.nan))


def _meter(sample_rate: int, block_seconds: float, *, overlap: float = 0.75) -> Meter:
    # Brings scipy.signal, half a second that only those who measure shall wait for.
    from pyloudnorm import Meter

    return Meter(sample_rate, block_size=block_seconds, overlap=overlap)


def _measure(meter: Meter, signal: np.ndarray) -> float:
    with warnings.catch_warnings():
        # Silence: means of nothing.
        warnings.simplefilter("ignore", RuntimeWarning)
        value = float(meter.integrated_loudness(np.ascontiguousarray(signal.T, dtype=np.float64)))
    return value if value > SILENCE_DB else -math.inf


def _middles(count: int) -> np.ndarray:
    return SHORT_TERM_SECONDS / 2 + SHORT_TERM_HOP * np.arange(count)
