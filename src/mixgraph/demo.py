"""The demo song: real stems, mixed by someone else's effects with settings that we know.

The stems are the six seconds of "Falcon 69" by The Easton Ellises that the package `stempeg` carries for its own tests;
the effects are pedalboard's (JUCE). So what a search finds can be put beside what was done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from types import ModuleType

import numpy as np
import soxr
from numpy.typing import NDArray

from mixgraph.audio.song import Song
from mixgraph.errors import SongError

Audio = NDArray[np.float32]

# Audio streams of the stem file; stream 0 is a mastered mix that is not used.
STREAMS = {"drums": 1, "bass": 2, "other": 3, "vocals": 4}
# Named so that the console has processors there too; nothing was done to them.
SUBGROUPS = {"rhythm": ["drums", "bass"], "melody": ["other", "vocals"]}
STEM_RATE = 44_100
# What is used of the stems: at both ends of the excerpt each one clicks at full scale.
KEPT_SECONDS = (0.06, 6.02)
INSTALL = "pip install 'mixgraph[demo]'"


@dataclass(frozen=True)
class Effect:
    """One effect of the mix: our processor type that does the same, pedalboard's class, and that class's settings."""

    type: str
    plugin: str
    settings: Mapping[str, float]

    def __str__(self) -> str:
        return f"{self.plugin}: " + ", ".join(f"{name} {value:g}" for name, value in self.settings.items())


# What was done to each track, in order. No noise gate, no stereo imager, nothing on a subgroup: a search that keeps
# those is wrong about them. (Pedalboard's reverb at a dry level of 0.5 passes the dry signal unchanged.)
MIX = {
    "drums": (
        Effect("compressor", "Compressor", {"threshold_db": -24, "ratio": 4, "attack_ms": 5, "release_ms": 100}),
        Effect("gain_panning", "Gain", {"left_db": 4, "right_db": 4}),
    ),
    "bass": (
        Effect("equalizer", "HighpassFilter", {"cutoff_frequency_hz": 60}),
        Effect("equalizer", "HighShelfFilter", {"cutoff_frequency_hz": 1_500, "gain_db": -9, "q": 0.7}),
        Effect("gain_panning", "Gain", {"left_db": -4, "right_db": -4}),
    ),
    "other": (
        Effect("gain_panning", "Gain", {"left_db": -3, "right_db": -9}),
        Effect("reverb", "Reverb", {"room_size": 0.6, "damping": 0.4, "wet_level": 0.15, "dry_level": 0.5, "width": 1}),
    ),
    "vocals": (
        Effect("equalizer", "PeakFilter", {"cutoff_frequency_hz": 3_000, "gain_db": 6, "q": 0.8}),
        Effect("compressor", "Compressor", {"threshold_db": -26, "ratio": 3, "attack_ms": 10, "release_ms": 150}),
        Effect("gain_panning", "Gain", {"left_db": 1, "right_db": 6}),
        Effect("multitap_delay", "Delay", {"delay_seconds": 0.35, "feedback": 0, "mix": 0.25}),
    ),
}


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
    tracks = {name: _resample(stem, sample_rate) for name, stem in stems.items()}
    song = Song.from_arrays("demo", tracks, _resample(mix, sample_rate), sample_rate, SUBGROUPS)
    return DemoSong(song, true_settings())


def true_settings() -> dict[str, dict[str, str]]:
    """`MIX` as text, by track and processor type; a type's effects follow one another."""
    by_type = {track: groupby(effects, lambda effect: effect.type) for track, effects in MIX.items()}
    return {track: {kind: "; ".join(map(str, effects)) for kind, effects in kinds} for track, kinds in by_type.items()}


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
    start, end = (round(second * STEM_RATE) for second in KEPT_SECONDS)
    stems: dict[str, Audio] = {}
    try:
        for name, stream in STREAMS.items():
            with av.open(str(file)) as container:
                frames = [frame.to_ndarray() for frame in container.decode(audio=stream)]
            stems[name] = np.ascontiguousarray(np.concatenate(frames, axis=1)[:, start:end])
    except (av.FFmpegError, IndexError) as error:
        raise SongError(f"{file}: expected four stems ({error}); reinstall it: {INSTALL}") from None
    return stems


def apply_effects(pedalboard: ModuleType, signal: Audio, effects: tuple[Effect, ...]) -> Audio:
    """Runs the effects one after the other on a signal `(2, samples)` at `STEM_RATE`."""
    for effect in effects:
        plugin = getattr(pedalboard, effect.plugin)
        if effect.type == "gain_panning":
            sides = zip(effect.settings.values(), signal, strict=True)
            signal = np.concatenate([plugin(gain_db=gain)(side[None], STEM_RATE) for gain, side in sides])
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
