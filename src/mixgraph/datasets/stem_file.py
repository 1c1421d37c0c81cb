"""Stem files (Native Instruments' `.stem.mp4`, as MUSDB18 ships): five AAC streams, unpacked into the user's cache."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np

from mixgraph.audio.files import write_audio
from mixgraph.errors import SongError
from mixgraph.files import output_error

SUFFIX = ".stem.mp4"
STEMS = {"drums": 1, "bass": 2, "other": 3, "vocals": 4}
"""Audio streams by name; stream 0 is the mixture."""
CACHE_VARIABLE = "MIXGRAPH_CACHE"


class Duration(NamedTuple):
    """How long a stem file lasts, and the sample rate of its streams in Hz."""

    seconds: float
    sample_rate: int


def cache_folder() -> Path:
    """Where decoded audio is kept: `MIXGRAPH_CACHE`, or `mixgraph` in the user's cache."""
    if chosen := os.environ.get(CACHE_VARIABLE):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mixgraph"


def unpacked(file: Path) -> dict[str, Path]:
    """Where each stem of a file lies once it is unpacked; another file, or the same one changed, goes elsewhere.

    Raises `SongError` where the file is a link to nowhere.
    """
    try:
        state = file.stat()
    except OSError as error:
        raise SongError(f"{file}: cannot be read ({error.strerror}); copy or download it again") from None
    identity = f"{file.resolve()}\n{state.st_size}\n{state.st_mtime_ns}"
    folder = cache_folder() / "stems" / hashlib.sha256(identity.encode()).hexdigest()[:16]
    return {name: folder / f"{name}.flac" for name in STEMS}


def unpack(file: Path, stems: Mapping[str, Path]) -> None:
    """Decodes the stems that are not there yet, each to 24-bit FLAC, complete or not at all.

    Raises `SongError` where the file is no stem file or PyAV is missing, `OutputError` where the cache has no room.
    """
    av = _needed(file)
    for name, path in stems.items():
        if not path.is_file():
            samples, rate = _decode(av, file, STEMS[name])
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise output_error(path.parent, error) from None
            write_audio(path, samples, rate)


def duration(file: Path) -> Duration:
    """What the head of a stem file says; decodes nothing."""
    av = _needed(file)
    try:
        with av.open(str(file)) as container:
            stream = container.streams.audio[max(STEMS.values())]
            return Duration(float(stream.duration * stream.time_base), stream.rate)
    except (av.FFmpegError, IndexError, TypeError) as error:
        raise _damaged(file, error) from None


def _decode(av: ModuleType, file: Path, stream: int) -> tuple[np.ndarray, int]:
    """Float32 (2, samples) of one audio stream, and its sample rate."""
    try:
        with av.open(str(file)) as container:
            resampler = av.AudioResampler(format="fltp", layout="stereo")
            frames = [part for frame in container.decode(audio=stream) for part in resampler.resample(frame)]
            frames += resampler.resample(None)
            samples = np.concatenate([frame.to_ndarray() for frame in frames], axis=1)
            return np.ascontiguousarray(samples, np.float32), frames[0].sample_rate
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise _damaged(file, error) from None


def _damaged(file: Path, error: Exception) -> SongError:
    return SongError(f"{file}: not a file of {1 + len(STEMS)} audio streams ({error}); download it again")


def _needed(file: Path) -> ModuleType:
    try:
        import av
    except ImportError:
        raise SongError(f"{file}: decoding stem files needs the package av; pip install av") from None
    return av
