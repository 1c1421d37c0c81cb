"""A song: aligned tracks, their subgroups and, mostly, a mix; all at one sample rate, read segment by segment."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, final

import numpy as np
from soundfile import SoundFile

from mixgraph.audio.files import decode, probe
from mixgraph.audio.song_file import Layout, Offset, check_subgroups, read_layout, suggestion
from mixgraph.errors import OutputError, SongError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recording:
    """Decoded audio (frames, 1 or 2 channels), float32, whose first frame lies at sample `start` of the song."""

    frames: np.ndarray
    start: int = 0

    @property
    def end(self) -> int:
        """The sample of the song behind the last frame."""
        return self.start + len(self.frames)


@final
class Song(AbstractContextManager["Song", None]):
    """Tracks and mix of one length (`samples`), stereo when read; a context manager that frees what it holds.

    `subgroups` has the named ones only; `folder` is None for a song from arrays; `layout` says which files it is.
    Made by `load_song`, `load_layout` or `Song.from_arrays`. The recordings are in memory, or mapped from `file`.
    """

    def __init__(
        self, layout: Layout, rate: int, tracks: dict[str, Recording], mix: Recording | None, file: IO[bytes] | None
    ) -> None:
        self.layout = layout
        self.name = layout.name
        self.folder = layout.folder
        self.subgroups = layout.subgroups
        self.sample_rate = rate
        self.samples = mix.end if mix else max(track.end for track in tracks.values())
        self.tracks = tuple(tracks)
        self.has_mix = mix is not None
        self._recordings: dict[str, Recording] | None = tracks
        self._mix = mix
        self._file = file
        if file:
            weakref.finalize(self, file.close)

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
        if mixed and not mixed.frames.any():
            raise SongError(f"{name}: the mix is silent; give the mix that was heard")
        layout = Layout(name, check_subgroups(subgroups or {}, recordings, name))
        return cls(layout, sample_rate, recordings, mixed, None)

    def track_segment(self, start: int, length: int, tracks: Sequence[str] | None = None) -> np.ndarray:
        """Float32 (tracks, 2, length) of all tracks or those named, from sample `start` on, zeros beyond the end."""
        recordings = self._open()
        names = recordings if tracks is None else tracks
        for name in names:
            if name not in recordings:
                raise SongError(f"{self.name}: no track '{name}'; {suggestion(name, recordings, 'tracks')}")
        return self._read([recordings[name] for name in names], start, length)

    def mix_segment(self, start: int, length: int) -> np.ndarray:
        """Float32 (2, length) of the mix from sample `start` on, zeros beyond the end; `SongError` without a mix."""
        self._open()
        if self._mix is None:
            raise SongError(f"{self.name}: has no mix; load it with one")
        return self._read([self._mix], start, length)[0]

    def track(self, name: str) -> np.ndarray:
        """Float32 (2, samples) of one whole track."""
        return self.track_segment(0, self.samples, [name])[0]

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
        return {Path(os.path.relpath(file, self.folder)).as_posix(): _sha256(file) for file in self.layout.files}

    def close(self) -> None:
        """Frees the audio, as garbage collection does too; reading afterwards raises `SongError`."""
        self._recordings = self._mix = None
        if self._file:
            self._file.close()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> dict[str, Recording]:
        if self._recordings is None:
            raise SongError(f"{self.name}: the song is closed; load it again")
        return self._recordings

    def _read(self, recordings: Sequence[Recording], start: int, length: int) -> np.ndarray:
        out = np.zeros((len(recordings), 2, length), np.float32)
        for row, recording in zip(out, recordings, strict=True):
            first, last = max(start, recording.start), min(start + length, self.samples, recording.end)
            if first < last:
                frames = recording.frames[first - recording.start : last - recording.start]
                row[:, first - start : last - start] = frames.T
        return out


def load_song(
    folder: Path | str, *, sample_rate: int, memory_budget_mb: float = 4_096, require_mix: bool = True
) -> Song:
    """Loads a song folder at `sample_rate`; as long as its mix, or as its longest track where it has none.

    Decoded audio up to `memory_budget_mb` (10^6 bytes) stays in memory, more goes to a temporary file, which has no
    name where the system allows that, so that nothing is left behind even when the process is killed.
    Raises `SongError` or `AudioFileError`, and `OutputError` where the temporary file finds no room.
    """
    layout = read_layout(Path(folder), require_mix=require_mix)
    return load_layout(layout, sample_rate=sample_rate, memory_budget_mb=memory_budget_mb)


def load_layout(layout: Layout, *, sample_rate: int, memory_budget_mb: float = 4_096) -> Song:
    """Loads the files of a layout, wherever they lie, as `load_song` does."""
    headers = {path: probe(path) for path in (*layout.tracks.values(), layout.mix) if path}
    needed = sum(4 * header.channels * header.frames * sample_rate / header.samplerate for header in headers.values())
    with ExitStack() as closed_on_failure:
        file = None
        try:
            if needed > memory_budget_mb * 1e6:
                file = closed_on_failure.enter_context(tempfile.TemporaryFile(prefix="mixgraph-"))
            song = _read_song(layout, headers, sample_rate, file)
        except OSError as error:
            raise OutputError(
                f"{tempfile.gettempdir()}: no room for decoded audio ({error.strerror});"
                " free some space, point TMPDIR to a larger disk or raise memory_budget_mb"
            ) from error
        closed_on_failure.pop_all()
    return song


def _read_song(layout: Layout, headers: dict[Path, SoundFile], rate: int, file: IO[bytes] | None) -> Song:
    """Decodes each file once; the offset of each track is where it starts."""
    mix = Recording(_decode_to(file, layout.mix, rate)) if layout.mix else None
    if mix and not mix.frames.any():
        raise SongError(f"{layout.mix}: the mix is silent; export it again")
    tracks: dict[str, Recording] = {}
    for name, path in layout.tracks.items():
        start = layout.offsets.get(name, Offset()).at(headers[path].samplerate, rate)
        said = f"{path}: its offset of {start / rate:.2f} s"
        if mix and start >= mix.end:
            raise SongError(f"{said} starts it after the mix ends ({mix.end / rate:.2f} s); use a smaller offset")
        tracks[name] = track = Recording(_decode_to(file, path, rate), start)
        if start < 0 and track.end <= 0:
            raise SongError(f"{said} cuts all of its {len(track.frames) / rate:.2f} s; use a smaller offset")
    song = Song(layout, rate, tracks, mix, file)
    for name, track in tracks.items():
        _log_fit(name, track, headers[layout.tracks[name]], song)
    return song


def _decode_to(file: IO[bytes] | None, path: Path, rate: int) -> np.ndarray:
    """Float32 (frames, channels) of one audio file, in memory or mapped from the end of `file`."""
    blocks = decode(path, rate)
    if file is None:
        return np.concatenate(list(blocks))
    offset, channels = file.seek(0, 2), 1
    for block in blocks:
        # Not through the map: a full disk would end the process there instead of raising.
        file.write(block.tobytes())
        channels = block.shape[1]
    file.flush()
    if file.tell() == offset:
        return np.zeros((0, channels), np.float32)
    return np.memmap(file, np.float32, mode="r", offset=offset).reshape(-1, channels)


def _log_fit(name: str, track: Recording, header: SoundFile, song: Song) -> None:
    """Logs one line per track: what it is, and what was done to fit it to the mix."""
    rate, channels = song.sample_rate, "mono" if header.channels == 1 else "stereo"
    remarks = [f"{len(track.frames) / rate:.2f} s", f"{header.samplerate} Hz", channels]
    if track.start:
        shift = abs(track.start) / rate
        remarks.append(f"starts {shift:.2f} s later" if track.start > 0 else f"first {shift:.2f} s cut")
    over = track.end - song.samples
    # One sample more or less is the rounding of another sample rate.
    if over > 1:
        remarks.append(f"last {over / rate:.2f} s cut: the mix is shorter")
    if over < -1:
        remarks.append(f"padded with {-over / rate:.2f} s of silence: the mix is longer")
    if not track.frames[max(0, -track.start) : song.samples - track.start].any():
        remarks.append("silent")
    logger.log(logging.WARNING if over > 1 else logging.INFO, "track %s: %s", name, ", ".join(remarks))


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
