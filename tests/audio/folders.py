"""Tiny song folders made for a test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

RATE = 8_000


def tone(frames: int = 4_000, channels: int = 2, *, seed: int = 0) -> np.ndarray:
    """Noise (frames, channels) well below full scale, different in each channel."""
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (frames, channels)).astype(np.float32)


def write(path: Path, frames: np.ndarray, rate: int = RATE, subtype: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    default = {".wav": "FLOAT", ".flac": "PCM_24", ".aiff": "PCM_24", ".aif": "PCM_24"}.get(path.suffix.lower())
    container = "AIFF" if path.suffix.lower() == ".aif" else None
    soundfile.write(path, frames, rate, subtype=subtype or default, format=container)
    return path


def song_folder(folder: Path, toml: str | None = None, tracks: tuple[str, ...] = ("kick", "snare", "vox")) -> Path:
    """A folder with mix.wav and the named tracks, half a second at 8 kHz; without song.toml where `toml` is None."""
    for seed, name in enumerate(tracks):
        write(folder / "tracks" / f"{name}.wav", tone(seed=seed))
    write(folder / "mix.wav", np.mean([tone(seed=seed) for seed in range(len(tracks))], axis=0))
    if toml is not None:
        (folder / "song.toml").write_text(toml, encoding="utf-8")
    return folder
