"""Dry songs to synthesise from, a second or two to render: `from tests.corpus.sources import ...`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from mixgraph.config import SearchConfig
from tests.engine import RATE, small_config

SECONDS = 6
TRACKS = ("bass", "drums", "keys", "noise", "voice")
SUBGROUPS = {"band": ("bass", "drums", "keys"), "front": ("voice",)}
SILENT = "silent"


def plan_config() -> SearchConfig:
    """Small sizes in which echoes and reverbs still have room."""
    return small_config(
        audio={"segment_seconds": 1.0},
        processors={
            "equalizer_bins": 64,
            "delay_seconds": 1.0,
            "delay_slot_seconds": 0.1,
            "reverb_seconds": 0.3,
            "reverb_fft_size": 64,
        },
        prune={"evaluation_hop_seconds": 0.8},
    )


def write_sources(folder: Path, names: tuple[str, ...] = ("ash", "birch")) -> Path:
    """Song folders without mixes at twice the working rate: five tracks that strike and fade, and a silent one."""
    rate = 2 * RATE
    time = np.arange(SECONDS * rate) / rate
    for seed, name in enumerate(names):
        rng = np.random.default_rng(seed)
        (folder / name / "tracks").mkdir(parents=True)
        for number, track in enumerate(TRACKS):
            strikes = np.exp(-(3 + 2 * number) * np.remainder(time + 0.1 * number, 0.5 + 0.1 * number))
            sound = rng.normal(size=(2, len(time))) + 2 * np.sin(2 * np.pi * 110 * (1 + number) * time)
            sound = sound if number % 2 else sound[:1]  # bass, keys and voice are mono
            soundfile.write(folder / name / "tracks" / f"{track}.wav", 0.1 * (strikes * sound).T, rate, "FLOAT")
        soundfile.write(folder / name / "tracks" / f"{SILENT}.wav", np.zeros(len(time)), rate, "FLOAT")
        groups = [f"{group} = {list(tracks)}" for group, tracks in SUBGROUPS.items()]
        (folder / name / "song.toml").write_text("\n".join([f'name = "The {name}"', "[subgroups]", *groups]))
        (folder / name / "LICENSE").write_text("CC0 1.0\n")
    return folder
