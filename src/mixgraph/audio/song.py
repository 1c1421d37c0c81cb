"""A song: aligned tracks, their subgroups and, mostly, a mix; all at one sample rate, read segment by segment."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Self, final

import numpy as np

from mixgraph.audio.loading import read_recordings
from mixgraph.audio.song_file import FILE_NAME, check_subgroups, read_layout, suggestion
from mixgraph.audio.store import MemoryStore, Recording, Store
from mixgraph.errors import SongError


@final
class Song:
    """Tracks and mix of one length (`samples`), stereo when read; a context manager that frees what it holds.

    `subgroups` has the named ones only. Made by `load_song` or `Song.from_arrays`.
    """

    def __init__(
        self,
        name: str,
        sample_rate: int,
        samples: int,
        tracks: Mapping[str, Recording],
        mix: Recording | None,
        *,
        subgroups: Mapping[str, Sequence[str]],
        store: Store,
        folder: Path = Path(),
        files: Sequence[Path] = (),
    ) -> None:
        self.name = name
        self.sample_rate = sample_rate
        self.samples = samples
        self.tracks = tuple(tracks)
        self.subgroups = {group: tuple(members) for group, members in subgroups.items()}
        self.has_mix = mix is not None
        self._recordings = dict(tracks)
        self._mix = mix
        self._store = store
        self._folder = folder
        self._files = tuple(files)
        self._closed = False

    @classmethod
    def from_arrays(
        cls,
        name: str,
        tracks: Mapping[str, np.ndarray],
        mix: np.ndarray | None,
        sample_rate: int,
        subgroups: Mapping[str, Sequence[str]] | None = None,
    ) -> Song:
        """A song from arrays (samples,), (1, samples) or (2, samples); as long as the mix, else the longest track."""
        if not tracks:
            raise SongError(f"{name}: no tracks; give at least one array")
        recordings = {track: _as_recording(f"{name}: track '{track}'", array) for track, array in tracks.items()}
        mixed = None if mix is None else _as_recording(f"{name}: the mix", mix)
        if mixed is not None and not mixed.frames.any():
            raise SongError(f"{name}: the mix is silent; give the mix that was heard")
        samples = max(len(recording.frames) for recording in (recordings.values() if mixed is None else [mixed]))
        named = check_subgroups(subgroups or {}, recordings, name)
        return cls(name, sample_rate, samples, recordings, mixed, subgroups=named, store=MemoryStore())

    @property
    def folder(self) -> Path | None:
        """The song folder; None for a song from arrays."""
        return self._folder if self._files else None

    def track_segment(self, start: int, length: int) -> np.ndarray:
        """Float32 (tracks, 2, length) from sample `start` on, zeros beyond the end."""
        return self._read(list(self._open().values()), start, length)

    def mix_segment(self, start: int, length: int) -> np.ndarray:
        """Float32 (2, length) of the mix from sample `start` on, zeros beyond the end; `SongError` without a mix."""
        self._open()
        if self._mix is None:
            raise SongError(f"{self.name}: has no mix; load it with one")
        return self._read([self._mix], start, length)[0]

    def track(self, name: str) -> np.ndarray:
        """Float32 (2, samples) of one whole track."""
        recordings = self._open()
        if name not in recordings:
            raise SongError(f"{self.name}: no track '{name}'; {suggestion(name, recordings, 'tracks')}")
        return self._read([recordings[name]], 0, self.samples)[0]

    def mix(self) -> np.ndarray:
        """Float32 (2, samples) of the whole mix; `SongError` without a mix."""
        return self.mix_segment(0, self.samples)

    def require_length(self, samples: int) -> None:
        """Refuses a song shorter than `samples`, say one segment."""
        if self.samples < samples:
            raise SongError(
                f"{self.name}: lasts {self.samples / self.sample_rate:.2f} s, shorter than one segment of"
                f" {samples / self.sample_rate:.2f} s; use a longer song or a smaller segment_seconds"
            )

    @cached_property
    def hashes(self) -> dict[str, str]:
        """SHA-256 of every file that was read, by its path from the song folder; empty for a song from arrays."""
        return {Path(os.path.relpath(file, self._folder)).as_posix(): _sha256(file) for file in self._files}

    def close(self) -> None:
        """Frees the audio, as garbage collection does too; reading afterwards raises `SongError`."""
        self._closed = True
        self._recordings.clear()
        self._mix = None
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> dict[str, Recording]:
        if self._closed:
            raise SongError(f"{self.name}: the song is closed; load it again")
        return self._recordings

    def _read(self, recordings: Sequence[Recording], start: int, length: int) -> np.ndarray:
        out = np.zeros((len(recordings), 2, length), np.float32)
        inside = max(0, min(length, self.samples - start))
        for row, recording in zip(out, recordings, strict=True):
            recording.read_into(row[:, :inside], start)
        return out


def load_song(
    folder: Path | str, *, sample_rate: int, memory_budget_mb: float = 4_096, require_mix: bool = True
) -> Song:
    """Loads a song folder at `sample_rate`; as long as its mix, or as its longest track where it has none.

    Decoded audio up to `memory_budget_mb` (10^6 bytes) stays in memory, more goes to a temporary file.
    Raises `SongError` or `AudioFileError`, and `OutputError` where the temporary file finds no room.
    """
    folder = Path(folder)
    layout = read_layout(folder, require_mix=require_mix)
    loaded = read_recordings(layout, sample_rate, memory_budget_mb)
    files = [path for path in (folder / FILE_NAME, layout.mix) if path is not None and path.is_file()]
    return Song(
        layout.name,
        sample_rate,
        loaded.samples,
        loaded.tracks,
        loaded.mix,
        subgroups=layout.subgroups,
        store=loaded.store,
        folder=folder,
        files=[*files, *layout.tracks.values()],
    )


def _as_recording(what: str, array: np.ndarray) -> Recording:
    frames = np.atleast_2d(np.asarray(array, dtype=np.float32)).T
    if frames.ndim != 2 or frames.shape[1] not in (1, 2) or len(frames) == 0:
        raise SongError(f"{what} has shape {np.shape(array)}; expected (samples,), (1, samples) or (2, samples)")
    if not np.isfinite(frames).all():
        raise SongError(f"{what} has NaN or infinite samples; remove them")
    return Recording(frames)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SongError(f"{path}: cannot be read again ({error.strerror}); leave the song folder in place") from error
