"""From the files of a song to aligned recordings: resampled, shifted by offsets, cut to the mix, said in the log."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mixgraph.audio.files import AudioInfo, decode, probe
from mixgraph.audio.song_file import Layout, Offset
from mixgraph.audio.store import FileStore, MemoryStore, Recording, Store
from mixgraph.errors import SongError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Loaded:
    """Recordings of one song, and the store that keeps them."""

    samples: int
    tracks: dict[str, Recording]
    mix: Recording | None
    store: Store


def read_recordings(layout: Layout, sample_rate: int, memory_budget_mb: float) -> Loaded:
    """Decodes each file of the song once, into memory if all fits the budget, else into a temporary file."""
    headers = {path: probe(path) for path in [*layout.tracks.values(), *([layout.mix] if layout.mix else [])]}
    needed = sum(_decoded_bytes(header, sample_rate) for header in headers.values())
    store = MemoryStore() if needed <= memory_budget_mb * 1e6 else FileStore()
    try:
        return _read_into(store, layout, headers, sample_rate)
    except BaseException:
        store.close()
        raise


def _decoded_bytes(header: AudioInfo, sample_rate: int) -> float:
    frames = math.inf if header.frames is None else header.frames
    return 4 * header.channels * frames * sample_rate / header.sample_rate


def _read_into(store: Store, layout: Layout, headers: dict[Path, AudioInfo], sample_rate: int) -> Loaded:
    mix = None
    if layout.mix is not None:
        taken = _Take(store, layout.mix, sample_rate, start=0, end=None)
        if taken.silent:
            raise SongError(f"{layout.mix}: the mix is silent; export it again")
        mix = taken.recording
    end = None if mix is None else len(mix.frames)
    takes: dict[str, _Take] = {}
    for name, path in layout.tracks.items():
        start = layout.offsets.get(name, Offset()).at(headers[path].sample_rate, sample_rate)
        if end is not None and start >= end:
            raise SongError(
                f"{path}: its offset of {start / sample_rate:.2f} s starts it after the mix ends"
                f" ({end / sample_rate:.2f} s); use a smaller offset"
            )
        takes[name] = _Take(store, path, sample_rate, start=start, end=end)
        if start < 0 and takes[name].frames + start <= 0:
            raise SongError(
                f"{path}: its offset of {start / sample_rate:.2f} s cuts all of its"
                f" {takes[name].frames / sample_rate:.2f} s; use a smaller offset"
            )
    samples = max(take.start + take.frames for take in takes.values()) if end is None else end
    for name, take in takes.items():
        _say(name, take, headers[layout.tracks[name]], samples, sample_rate)
    return Loaded(samples, {name: take.recording for name, take in takes.items()}, mix, store)


class _Take:
    """One decoded file, of which what lies inside the song (samples 0 to `end`) is kept."""

    def __init__(self, store: Store, path: Path, sample_rate: int, *, start: int, end: int | None) -> None:
        self.start = start
        self.frames = 0
        self.silent = True
        kept = store.add(self._inside(decode(path, sample_rate), end))
        self.recording = Recording(kept, max(start, 0))

    def _inside(self, blocks: Iterable[np.ndarray], end: int | None) -> Iterator[np.ndarray]:
        # Decoded to its end even where the mix ends first: damage is found, and the log can say what was cut.
        for block in blocks:
            position = self.start + self.frames
            self.frames += len(block)
            inside = block[max(0, -position) : None if end is None else max(0, end - position)]
            self.silent = self.silent and not inside.any()
            yield inside


def _say(name: str, take: _Take, header: AudioInfo, samples: int, sample_rate: int) -> None:
    """Logs one line per track: what it is, and what was done to fit it to the mix."""
    channels = "mono" if header.channels == 1 else "stereo"
    remarks = [f"{take.frames / sample_rate:.2f} s", f"{header.sample_rate} Hz", channels]
    shift = abs(take.start) / sample_rate
    if take.start:
        remarks.append(f"starts {shift:.2f} s later" if take.start > 0 else f"first {shift:.2f} s cut")
    over = take.start + take.frames - samples
    # One sample more or less is the rounding of another sample rate.
    if over > 1:
        remarks.append(f"last {over / sample_rate:.2f} s cut: the mix is shorter")
    if over < -1:
        remarks.append(f"padded with {-over / sample_rate:.2f} s of silence: the mix is longer")
    if take.silent:
        remarks.append("silent")
    logger.log(logging.WARNING if over > 1 else logging.INFO, "track %s: %s", name, ", ".join(remarks))
