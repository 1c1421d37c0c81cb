"""The demo song: real stems, mixed by someone else's effects with settings that we know.

The stems are the six seconds of "Falcon 69" by The Easton Ellises that the package `stempeg` carries for its own tests;
the effects are pedalboard's (JUCE). So what a search finds can be put beside what was done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Final

import numpy as np
import soxr
from numpy.typing import NDArray

from mixgraph.audio.song import Song
from mixgraph.errors import SongError

Audio = NDArray[np.float32]

STREAMS: Final[Mapping[str, int]] = {"drums": 1, "bass": 2, "other": 3, "vocals": 4}
"""Audio stream of each stem in the stem file; stream 0 is a mastered mix that is not used."""

SUBGROUPS: Final[Mapping[str, tuple[str, ...]]] = {"rhythm": ("drums", "bass"), "melody": ("other", "vocals")}
"""Named so that the console has processors there too; nothing was done to them."""

STEM_RATE: Final = 44_100
KEPT_SECONDS: Final = (0.06, 6.02)
"""What is used of the stems: at both ends of the excerpt each one clicks at full scale."""

INSTALL: Final = "pip install 'mixgraph[demo]'"


@dataclass(frozen=True)
class Effect:
    """One effect of the mix: our processor type that does the same, pedalboard's class, and that class's settings."""

    type: str
    plugin: str
    settings: Mapping[str, float]

    def __str__(self) -> str:
        return f"{self.plugin}: " + ", ".join(f"{name} {value:g}" for name, value in self.settings.items())


MIX: Final[Mapping[str, tuple[Effect, ...]]] = {
    "drums": (
        Effect(
            "compressor", "Compressor", {"threshold_db": -24.0, "ratio": 4.0, "attack_ms": 5.0, "release_ms": 100.0}
        ),
        Effect("gain_panning", "Gain", {"left_db": 4.0, "right_db": 4.0}),
    ),
    "bass": (
        Effect("equalizer", "HighpassFilter", {"cutoff_frequency_hz": 60.0}),
        Effect("equalizer", "HighShelfFilter", {"cutoff_frequency_hz": 1_500.0, "gain_db": -9.0, "q": 0.7}),
        Effect("gain_panning", "Gain", {"left_db": -4.0, "right_db": -4.0}),
    ),
    "other": (
        Effect("gain_panning", "Gain", {"left_db": -3.0, "right_db": -9.0}),
        Effect(
            "reverb", "Reverb", {"room_size": 0.6, "damping": 0.4, "wet_level": 0.15, "dry_level": 0.5, "width": 1.0}
        ),
    ),
    "vocals": (
        Effect("equalizer", "PeakFilter", {"cutoff_frequency_hz": 3_000.0, "gain_db": 6.0, "q": 0.8}),
        Effect(
            "compressor", "Compressor", {"threshold_db": -26.0, "ratio": 3.0, "attack_ms": 10.0, "release_ms": 150.0}
        ),
        Effect("gain_panning", "Gain", {"left_db": 1.0, "right_db": 6.0}),
        Effect("multitap_delay", "Delay", {"delay_seconds": 0.35, "feedback": 0.0, "mix": 0.25}),
    ),
}
"""What was done to each track, in order. No noise gate, no stereo imager, nothing on a subgroup: a search that keeps
those is wrong about them. (Pedalboard's reverb at a dry level of 0.5 passes the dry signal unchanged.)"""


@dataclass(frozen=True)
class DemoSong:
    """A song whose mix is explained: per track, the processor types that were used and their settings as text."""

    song: Song
    truth: Mapping[str, Mapping[str, str]]


def make_demo_song(sample_rate: int) -> DemoSong:
    """Decodes the stems, mixes them at their own rate and resamples all of it to `sample_rate` (Hz).

    Raises `SongError` with the cure when a package of the extra `demo` is missing.
    """
    pedalboard = _needed("pedalboard")
    stems = decode_stems(stem_file())
    mix = np.sum([apply_effects(pedalboard, stem, MIX[name]) for name, stem in stems.items()], axis=0)
    song = Song.from_arrays(
        "demo",
        {name: _resample(stem, sample_rate) for name, stem in stems.items()},
        _resample(mix, sample_rate),
        sample_rate,
        {name: list(tracks) for name, tracks in SUBGROUPS.items()},
    )
    return DemoSong(song, true_settings())


def true_settings() -> dict[str, dict[str, str]]:
    """`MIX` as text, by track and processor type."""
    truth: dict[str, dict[str, str]] = {}
    for track, effects in MIX.items():
        by_type: dict[str, list[str]] = {}
        for effect in effects:
            by_type.setdefault(effect.type, []).append(str(effect))
        truth[track] = {kind: "; ".join(lines) for kind, lines in by_type.items()}
    return truth


def stem_file() -> Path:
    """The stem file inside the installed package `stempeg`, which is found but not imported."""
    spec = find_spec("stempeg")
    for folder in (spec.submodule_search_locations if spec else None) or ():
        for file in sorted(Path(folder, "data").glob("*.stem.mp4")):
            return file
    raise SongError(f"the demo song's stems (package stempeg 0.2.6) are not installed; {INSTALL}")


def decode_stems(file: Path) -> dict[str, Audio]:
    """The stems `(2, samples)` at `STEM_RATE`, of the same length and without the clicks at their ends."""
    av = _needed("av")
    stems: dict[str, Audio] = {}
    try:
        for name, stream in STREAMS.items():
            with av.open(str(file)) as container:
                stems[name] = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=stream)], axis=1)
    except (av.FFmpegError, IndexError) as error:
        raise SongError(f"{file}: expected four stems ({error}); reinstall it: {INSTALL}") from None
    start, end = (round(second * STEM_RATE) for second in KEPT_SECONDS)
    return {name: np.ascontiguousarray(stem[:, start:end]) for name, stem in stems.items()}


def apply_effects(pedalboard: ModuleType, signal: Audio, effects: tuple[Effect, ...]) -> Audio:
    """Runs the effects one after the other on a signal `(2, samples)` at `STEM_RATE`."""
    for effect in effects:
        plugin = getattr(pedalboard, effect.plugin)
        if effect.type == "gain_panning":
            gains = (effect.settings["left_db"], effect.settings["right_db"])
            sides = [plugin(gain_db=gain)(side[None], STEM_RATE) for gain, side in zip(gains, signal, strict=True)]
            signal = np.concatenate(sides)
        else:
            signal = plugin(**effect.settings)(signal, STEM_RATE)
    return signal


def _resample(signal: Audio, sample_rate: int) -> Audio:
    return np.ascontiguousarray(soxr.resample(signal.T, STEM_RATE, sample_rate).T, dtype=np.float32)


def _needed(package: str) -> ModuleType:
    try:
        return import_module(package)
    except ImportError:
        raise SongError(f"the demo song needs the package {package}, which is not installed; {INSTALL}") from None
