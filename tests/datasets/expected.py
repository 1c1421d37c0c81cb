"""What a loader must find of a tiny dataset, and the noise that it is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.audio.folders import RATE, tone, write

FRAMES = RATE // 2


@dataclass(frozen=True)
class Expected:
    """What a loader must find of one song: samples (2, time) of tracks and mix, and the subgroups.

    `said` is the metadata file that can be broken, `audio` a file that can be missed.
    """

    tracks: Mapping[str, np.ndarray]
    audio: Path
    subgroups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mix: np.ndarray | None = None
    said: Path | None = None
    title: str = ""
    artist: str = ""
    aligned: bool = True
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tree:
    """A dataset, and how to make a tiny one; `tolerance` is the relative error (in RMS) that a lossy codec may make."""

    dataset: str
    build: Callable[[Path], dict[str, Expected]]
    tolerance: float = 0.0


def sound(path: Path, seed: int, channels: int = 1, *, start: int = 0) -> np.ndarray:
    """Writes noise and returns what is heard of it in the song (2, `FRAMES`), from the sample `start` of the file."""
    frames = tone(FRAMES + start, channels, seed=seed)
    write(path, frames, subtype="FLOAT" if path.suffix == ".wav" else "PCM_16")
    heard = frames if path.suffix == ".wav" else np.round(frames * 2**15) / 2**15
    return np.ascontiguousarray(np.broadcast_to(heard[start:].T, (2, FRAMES)))
