"""The sound that a page carries: the mixes and, where there is room, the dry tracks, from which it mixes anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from mixgraph.audio.song import Song
from mixgraph.errors import OutputError
from mixgraph.report.charts import clock
from mixgraph.report.opus import encode_chunks
from mixgraph.report.sounds import Sound

# Bit rates in kbit/s per channel of mixes and of tracks, best first. Tracks come before the last of fidelity: at
# 32 kbit/s a mix is still good to judge by, and without tracks nothing can be muted or bypassed.
RATES: Final[tuple[tuple[int, int | None], ...]] = (
    (64, 48), (64, 40), (48, 32), (40, 24), (40, 20), (32, 16), (32, 12), (28, 10),
    (64, None), (48, None), (32, None), (20, None), (12, None),
)  # fmt: skip
BASE64: Final = 4 / 3
PEAK: Final = 0.9  # what is encoded peaks here: encoders clip above 1
ACTIVE: Final = 1e-3  # of a signal's peak: seconds that stay below it cost next to nothing
OVERHEAD_KBPS: Final = 1.2  # headers and overlaps; low rates are exceeded besides


@dataclass(frozen=True)
class Stream:
    """One sound in pieces (`mixgraph.report.opus`), to be multiplied by `scale`."""

    scale: float
    chunks: tuple[bytes, ...]

    @property
    def size(self) -> float:
        """Bytes in a page."""
        return BASE64 * sum(map(len, self.chunks))


@dataclass(frozen=True)
class Soundtrack:
    """Streams by the mixes' keys and the tracks' names; `track_kbps` is None where the tracks found no room."""

    mixes: dict[str, Stream]
    tracks: dict[str, Stream]
    mix_kbps: int
    track_kbps: int | None

    @property
    def size(self) -> float:
        """Bytes in a page."""
        return sum(stream.size for stream in (*self.mixes.values(), *self.tracks.values()))


def make_soundtrack(
    song: Song, sounds: tuple[Sound, ...], room: float, *, with_tracks: bool, threads: int = 1
) -> Soundtrack:
    """The best soundtrack of at most `room` bytes; raises `OutputError` if not even the worst would fit."""
    mix_seconds = sum(_channel_seconds(sound.signal, song.sample_rate) for sound in sounds)
    track_seconds = sum(_channel_seconds(song.track(name), song.sample_rate) for name in song.tracks)
    for mix_kbps, track_kbps in RATES:
        if track_kbps and not with_tracks:
            continue
        bits = (mix_kbps + OVERHEAD_KBPS) * mix_seconds
        if track_kbps:
            bits += (track_kbps + OVERHEAD_KBPS) * track_seconds
        if bits * 1_000 / 8 * BASE64 > room:
            continue
        mixes = {sound.key: _encode(sound.signal, song.sample_rate, mix_kbps, threads) for sound in sounds}
        names = song.tracks if track_kbps else ()
        tracks = {name: _encode(song.track(name), song.sample_rate, track_kbps or 0, threads) for name in names}
        made = Soundtrack(mixes, tracks, mix_kbps, track_kbps)
        if made.size <= room:
            return made
    length = clock(song.samples / song.sample_rate)
    raise OutputError(
        f"{song.name}: {length} minutes of sound do not fit into the {max(room, 0) / 1e6:.1f} MB left for them;"
        " give a larger --size-limit"
    )


def _encode(signal: np.ndarray, sample_rate: int, kbps: int, threads: int) -> Stream:
    peak = float(np.abs(signal).max())
    if not peak:
        return Stream(0.0, ())
    return Stream(peak / PEAK, tuple(encode_chunks(signal * (PEAK / peak), sample_rate, kbps, threads=threads)))


def _channel_seconds(signal: np.ndarray, sample_rate: int) -> float:
    """Seconds in which something is heard, times channels that differ."""
    channels = 1 if np.array_equal(signal[0], signal[1]) else 2
    starts = np.arange(0, signal.shape[-1], sample_rate)
    peaks = np.maximum.reduceat(np.abs(signal).max(0), starts)
    return channels * float((peaks > ACTIVE * peaks.max()).sum())
