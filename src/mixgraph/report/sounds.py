"""The mixes that a page lets one switch between, at the same loudness."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from mixgraph.audio.loudness import integrated_lufs
from mixgraph.audio.song import Song

HIGHEST_PEAK_DB: Final = -1.0
COLUMNS: Final = 800
ORIGINAL, ESTIMATE, PLAIN_SUM, RESIDUAL = "original", "estimate", "plain_sum", "residual"


@dataclass(frozen=True)
class Sound:
    """One mix `(2, samples)`: its loudness, and the gain that brings it to the others' without clipping."""

    key: str
    title: str
    about: str
    signal: np.ndarray
    lufs: float
    gain_db: float = 0.0


def mixes_of(song: Song, estimate: np.ndarray) -> tuple[Sound, ...]:
    """Original, estimate, plain sum and residual; without a mix to compare with, estimate and plain sum."""
    rate, plain = song.sample_rate, np.zeros_like(estimate)
    for track in song.tracks:
        plain += song.track(track)
    found = [
        _sound(ESTIMATE, "Estimate", "the dry tracks through the found graph", estimate, rate),
        _sound(PLAIN_SUM, "Plain sum", "the dry tracks added up, nothing done to them", plain, rate),
    ]
    if song.has_mix:
        mix = song.mix()
        found.insert(0, _sound(ORIGINAL, "Original", "the mix that was to be matched", mix, rate))
        found.append(_sound(RESIDUAL, "Residual", "original minus estimate, at its own level", mix - estimate, rate))
    return level_matched(tuple(found))


def level_matched(sounds: tuple[Sound, ...]) -> tuple[Sound, ...]:
    """Gains that give all the loudness of the first but the residual, whose level against the original says something.

    What would then clip turns all of them down.
    """
    wanted = sounds[0].lufs
    gains = [
        wanted - sound.lufs if sound.key != RESIDUAL and math.isfinite(wanted - sound.lufs) else 0.0 for sound in sounds
    ]
    peaks = [20 * math.log10(max(float(np.abs(sound.signal).max()), 1e-9)) for sound in sounds]
    trim = min(0.0, HIGHEST_PEAK_DB - max(peak + gain for peak, gain in zip(peaks, gains, strict=True)))
    return tuple(replace(sound, gain_db=gain + trim) for sound, gain in zip(sounds, gains, strict=True))


def waveforms(sounds: tuple[Sound, ...]) -> dict[str, str]:
    """An SVG path for each key, at matched loudness; the loudest peak of all fills the height of 100."""
    shown = {sound.key: sound.signal.mean(0) * 10 ** (sound.gain_db / 20) for sound in sounds}
    peak = max(float(np.abs(mono).max()) for mono in shown.values())
    return {key: waveform(mono / (peak or 1.0)) for key, mono in shown.items()}


def waveform(mono: np.ndarray) -> str:
    """An SVG path of the extremes in up to `COLUMNS` columns, 1 unit each; amplitudes -1 to 1 are y = 100 to 0."""
    edges = np.unique(np.linspace(0, len(mono), COLUMNS + 1).astype(int)[:-1])
    high = np.clip(50 - 50 * np.maximum.reduceat(mono, edges), 0, 100)
    low = np.clip(50 - 50 * np.minimum.reduceat(mono, edges), 0, 100)
    place = edges * COLUMNS / len(mono)
    return "".join(f"M{x:.0f} {a:.1f}V{max(b, a + 0.4):.1f}" for x, a, b in zip(place, high, low, strict=True))


def _sound(key: str, title: str, about: str, signal: np.ndarray, rate: int) -> Sound:
    return Sound(key, title, about, signal, integrated_lufs(signal, rate))
