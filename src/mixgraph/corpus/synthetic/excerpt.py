"""Which part of a song, and which of its tracks, a synthetic song is made of: some that sound there together."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final, final

import numpy as np
import torch

from mixgraph.audio.song import Song
from mixgraph.corpus.synthetic.levels import FRAME_SECONDS, frame_energies
from mixgraph.errors import SongError

SOUNDING_DB: Final = -60.0
SOUNDING_SHARE: Final = 0.25
"""A track takes part where this share of the frames of an excerpt is louder than `SOUNDING_DB`."""


@final
@dataclass(frozen=True)
class Excerpt:
    """A part of a song, in samples, and the tracks that sound in it, in the order of the song."""

    start: int
    samples: int
    tracks: tuple[str, ...]


def draw_excerpt(song: Song, tracks: tuple[int, int], seconds: tuple[float, float], rng: random.Random) -> Excerpt:
    """So many tracks over so many seconds, from least to most; fewer or less where the song has no more.

    Raises `SongError` for a song that is silent.
    """
    rate = song.sample_rate
    samples = min(round(rng.uniform(*seconds) * rate), song.samples)
    shares = _sounding_shares(song, samples)
    together = (shares >= SOUNDING_SHARE).sum(0)
    count = min(rng.randint(*tracks), int(together.max()))
    if count == 0:
        raise SongError(f"{song.name}: its tracks hardly sound; use another song")
    window = rng.choice(np.flatnonzero(together >= count).tolist())
    sounding = np.flatnonzero(shares[:, window] >= SOUNDING_SHARE).tolist()
    chosen = sorted(rng.sample(sounding, count))
    start = min(window * round(FRAME_SECONDS * rate), song.samples - samples)
    return Excerpt(start, samples, tuple(song.tracks[row] for row in chosen))


def _sounding_shares(song: Song, samples: int) -> np.ndarray:
    """The share of sounding frames `(track, window)` in the windows of so many samples that start at each frame."""
    loud = np.stack(
        [frame_energies(torch.from_numpy(song.track(name)), song.sample_rate).numpy() for name in song.tracks]
    ) > 10 ** (SOUNDING_DB / 10)
    length = max(1, int(samples / song.sample_rate / FRAME_SECONDS))
    sums = np.pad(np.cumsum(loud, 1), ((0, 0), (1, 0)))
    return (sums[:, length:] - sums[:, :-length]) / length
