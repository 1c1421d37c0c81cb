"""Audio files in and out: decoded and resampled block by block, encoded whole and renamed into place."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from mixgraph.audio.container import missing_bytes
from mixgraph.errors import AudioFileError, OutputError
from mixgraph.files import write_bytes

logger = logging.getLogger(__name__)

READABLE = (".wav", ".flac", ".aiff", ".aif", ".ogg", ".mp3")
WRITABLE = {
    ".flac": ("FLAC", "PCM_24"),
    ".wav": ("WAV", "FLOAT"),
    ".aiff": ("AIFF", "PCM_24"),
    ".aif": ("AIFF", "PCM_24"),
    ".ogg": ("OGG", "VORBIS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
}
BLOCK_FRAMES = 1 << 18
LENGTH_UNKNOWN = 1 << 62
"""Frames from here up are libsndfile's way to say that a streamed file does not tell its length."""


@dataclass(frozen=True)
class AudioInfo:
    """What the header of an audio file says; `frames` is None where a streamed file does not tell."""

    sample_rate: int
    channels: int
    frames: int | None


def probe(path: Path) -> AudioInfo:
    """Reads the header of a file; refuses one that is unreadable, cut off, empty or has more than two channels."""
    if not path.is_file():
        raise AudioFileError(f"{path}: no such audio file; check the path")
    try:
        header = soundfile.info(str(path))
        missing = missing_bytes(path)
    except (soundfile.LibsndfileError, OSError) as error:
        raise AudioFileError(f"{path}: cannot be read as audio ({error}); export it again as WAV or FLAC") from error
    if header.channels > 2:
        raise AudioFileError(f"{path}: has {header.channels} channels; export it as mono or stereo")
    if header.frames <= 0:
        raise AudioFileError(f"{path}: holds no samples; export it again or remove it")
    if missing:
        raise AudioFileError(f"{path}: is cut off ({missing} bytes are missing); copy or export it again")
    return AudioInfo(header.samplerate, header.channels, header.frames if header.frames < LENGTH_UNKNOWN else None)


def decode(path: Path, sample_rate: int) -> Iterator[np.ndarray]:
    """Yields float32 blocks (frames, channels) at `sample_rate`; refuses NaN, infinity and a cut-off file.

    A cut Ogg, or an MP3 without a length in its head, does not show that it is.
    """
    info = probe(path)
    resampler = None
    if info.sample_rate != sample_rate:
        resampler = soxr.ResampleStream(info.sample_rate, sample_rate, info.channels, dtype="float32", quality="HQ")
    decoded = 0
    for block, last in _blocks(path):
        if not np.isfinite(block).all():
            raise AudioFileError(f"{path}: has NaN or infinite samples; export it again")
        decoded += len(block)
        if last and info.frames is not None and decoded < info.frames:
            raise AudioFileError(
                f"{path}: is cut off (ends at {decoded / info.sample_rate:.2f} s of"
                f" {info.frames / info.sample_rate:.2f} s); copy or export it again"
            )
        yield block if resampler is None else resampler.resample_chunk(block, last=last)


def _blocks(path: Path) -> Iterator[tuple[np.ndarray, bool]]:
    try:
        with soundfile.SoundFile(str(path)) as file:
            last = False
            while not last:
                block = file.read(BLOCK_FRAMES, dtype="float32", always_2d=True)
                last = len(block) < BLOCK_FRAMES
                yield block, last
    except (soundfile.LibsndfileError, OSError) as error:
        raise AudioFileError(f"{path}: is damaged or cut off ({error}); copy or export it again") from error


def read_audio(path: Path, sample_rate: int) -> np.ndarray:
    """Reads a whole file as float32 (2, samples) at `sample_rate`; mono is duplicated. Raises `AudioFileError`."""
    frames = np.concatenate(list(decode(Path(path), sample_rate)))
    return np.ascontiguousarray(np.broadcast_to(frames.T, (2, len(frames))))


def write_audio(path: Path, samples: np.ndarray, sample_rate: int) -> None:
    """Writes samples (channels, time) in the format of the suffix, beside and renamed; raises `OutputError`.

    .flac and .aiff hold 24 bit, .wav 32 bit float. All but .wav clip at full scale, and the log says so.
    """
    path = Path(path)
    if path.suffix.lower() not in WRITABLE:
        raise OutputError(f"{path}: cannot write '{path.suffix}'; use one of {', '.join(WRITABLE)}")
    frames = np.asarray(samples, dtype=np.float32).T
    if frames.ndim != 2 or frames.shape[1] not in (1, 2):
        raise OutputError(f"{path}: samples have shape {np.shape(samples)}; expected (1 or 2 channels, time)")
    if not np.isfinite(frames).all():
        raise OutputError(f"{path}: the samples hold NaN or infinity; nothing was written")
    container, encoding = WRITABLE[path.suffix.lower()]
    peak = float(np.abs(frames).max(initial=0.0))
    if encoding != "FLOAT" and peak > 1.0:
        logger.warning("%s: peak %+.2f dB is clipped at 0 dB; write .wav to keep it", path, 20 * np.log10(peak))
        frames = np.clip(frames, -1.0, 1.0)
    encoded = io.BytesIO()
    try:
        with soundfile.SoundFile(
            encoded, "w", samplerate=sample_rate, channels=frames.shape[1], format=container, subtype=encoding
        ) as file:
            # One long write of Vorbis overflows libsndfile's stack.
            for start in range(0, len(frames), BLOCK_FRAMES):
                file.write(np.ascontiguousarray(frames[start : start + BLOCK_FRAMES]))
    except (soundfile.LibsndfileError, ValueError) as error:
        raise OutputError(f"{path}: {container} cannot hold {sample_rate} Hz ({error}); write .wav or .flac") from error
    write_bytes(path, encoded.getbuffer())
