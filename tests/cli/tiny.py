"""Searches that last a second or two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import soundfile

from mixgraph.config import SearchConfig, make_config
from mixgraph.result.result import Result
from mixgraph.run.api import search as search_song
from tests.engine import RATE, small_song

SETTINGS = f"""\
seed = 3

[audio]
sample_rate = {RATE}
segment_seconds = 1.0

[console]
chain = "ecgd"

[processors]
equalizer_bins = 8
delay_seconds = 0.02
delay_slot_seconds = 0.005
delay_color_bins = 4

[loss]
fft_sizes = [128, 256]
mel_bands = 16
warm_up_seconds = 0.05
sparsity_ramp_steps = 6

[fit]
console_steps = 6
restart_steps = 4

[prune]
rounds = 2
fine_tune_steps = 4
brute_force_every = 2
trial_segments = 3
tolerance = 0.05
"""
SAME_FILES = ("graph.json", "parameters.safetensors", "mix.flac")


def write_song(folder: Path) -> Path:
    """Eight seconds, three tracks, two of them in a subgroup."""
    song = small_song(
        samples=8 * RATE, gains=[(0.5, 0.4), (0.3, 0.8), (0.7, 0.7)], subgroups={"band": ["bass", "drums"]}
    )
    (folder / "tracks").mkdir(parents=True)
    for name in song.tracks:
        write_wav(folder / "tracks" / f"{name}.wav", song.track(name).T)
    write_wav(folder / "mix.wav", song.mix().T)
    (folder / "song.toml").write_text('name = "tiny"\n[subgroups]\nband = ["bass", "drums"]\n')
    return folder


def write_wav(path: Path, frames: Any) -> None:
    """Float samples `(time, channels)`."""
    soundfile.write(path, frames, RATE, subtype="FLOAT")


def write_settings(path: Path) -> Path:
    """The tiny settings as a TOML file."""
    path.write_text(SETTINGS)
    return path


def settings(folder: Path) -> SearchConfig:
    """The tiny settings."""
    return make_config(file=write_settings(folder / "tiny.toml"))


def search(song: Path, output: Path, **options: Any) -> Result:
    """A search with the tiny settings."""
    return search_song(song, settings(song.parent), output=output, device="cpu", **options)


def same_bytes(one: Path, other: Path) -> None:
    """Two results are the same graph, the same parameters and the same sound, to the bit."""
    for name in SAME_FILES:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
