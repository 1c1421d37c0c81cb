"""Audio files in and out: decoded and resampled block by block, encoded whole and renamed into place."""

from __future__ import annotations

import io
import logging
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr

from mixgraph.errors import AudioFileError, OutputError
from mixgraph.files import write_bytes

logger = logging.getLogger(__name__)

READABLE = (".wav", ".flac", ".aiff", ".aif", ".ogg", ".mp3")
WRITABLE = {".flac": "PCM_24", ".wav": "FLOAT", ".aiff": "PCM_24", ".aif": "PCM_24", ".ogg": None, ".mp3": None}
BLOCK_FRAMES = 1 << 18
LENGTH_UNKNOWN = 1 << 62  # frames from here up: libsndfile's way to say that a streamed file does not tell its length
SOUND_CHUNKS = {b"RIFF": ("<4sI", b"data"), b"FORM": (">4sI", b"SSND")}  # of WAV and AIFF: byte order, and name


def probe(path: Path) -> soundfile.SoundFile:
    """Opens a file for its header; refuses one that is unreadable, cut off, empty or has more than two channels.

    It comes back closed. Where a streamed file does not tell its length, it has `LENGTH_UNKNOWN` frames or more.
    """
    if not path.is_file():
        raise AudioFileError(f"{path}: no such audio file; check the path")
    try:
        with soundfile.SoundFile(str(path)) as header:
            missing = _missing_bytes(path)
    except (soundfile.LibsndfileError, OSError) as error:
        raise AudioFileError(f"{path}: cannot be read as audio ({error}); export it again as WAV or FLAC") from error
    if header.channels > 2:
        raise AudioFileError(f"{path}: has {header.channels} channels; export it as mono or stereo")
    if header.frames <= 0:
        raise AudioFileError(f"{path}: holds no samples; export it again or remove it")
    if missing:
        raise AudioFileError(f"{path}: is cut off ({missing} bytes are missing); copy or export it again")
    return header


def decode(path: Path, sample_rate: int) -> Iterator[np.ndarray]:
    """Yields float32 blocks (frames, channels) at `sample_rate`; refuses NaN, infinity and a cut-off file.

    A cut Ogg, or an MP3 without a length in its head, does not show that it is.
    """
    header = probe(path)
    rate, resampler = header.samplerate, None
    if rate != sample_rate:
        resampler = soxr.ResampleStream(rate, sample_rate, header.channels, dtype="float32", quality="HQ")
    decoded, last = 0, False
    try:
        with soundfile.SoundFile(str(path)) as file:
            while not last:
                block = file.read(BLOCK_FRAMES, dtype="float32", always_2d=True)
                last = len(block) < BLOCK_FRAMES
                decoded += len(block)
                if not np.isfinite(block).all():
                    raise AudioFileError(f"{path}: has NaN or infinite samples; export it again")
                if last and decoded < header.frames < LENGTH_UNKNOWN:
                    ends = f"ends at {decoded / rate:.2f} s of {header.frames / rate:.2f} s"
                    raise AudioFileError(f"{path}: is cut off ({ends}); copy or export it again")
                yield block if resampler is None else resampler.resample_chunk(block, last=last)
    except (soundfile.LibsndfileError, OSError) as error:
        raise AudioFileError(f"{path}: is damaged or cut off ({error}); copy or export it again") from error


def _missing_bytes(path: Path) -> int:
    """Bytes of sound that a WAV or AIFF promises beyond its end, which libsndfile does not say; 0 for other formats."""
    with path.open("rb") as file:
        form, sound = SOUND_CHUNKS.get(file.read(4), ("", b""))
        file.seek(12)
        while form and len(head := file.read(8)) == 8:
            name, size = struct.unpack(form, head)
            if name == sound:
                # Streaming writers leave sizes that promise nothing.
                return 0 if size in (0, 0xFFFFFFFF) else max(0, file.tell() + size - path.stat().st_size)
            # Chunks start at even positions.
            file.seek(size + size % 2, io.SEEK_CUR)
    return 0


def read_audio(path: Path, sample_rate: int) -> np.ndarray:
    """Reads a whole file as float32 (2, samples) at `sample_rate`; mono is duplicated. Raises `AudioFileError`."""
    frames = np.concatenate(list(decode(Path(path), sample_rate)))
    return np.ascontiguousarray(np.broadcast_to(frames.T, (2, len(frames))))


def write_audio(path: Path, samples: np.ndarray, sample_rate: int) -> None:
    """Writes samples (channels, time) in the format of the suffix, beside and renamed; raises `OutputError`.

    .flac and .aiff hold 24 bit, .wav 32 bit float. All but .wav clip at full scale, and the log says so.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in WRITABLE:
        raise OutputError(f"{path}: cannot write '{path.suffix}'; use one of {', '.join(WRITABLE)}")
    frames = np.asarray(samples, dtype=np.float32).T
    if frames.ndim != 2 or frames.shape[1] not in (1, 2):
        raise OutputError(f"{path}: samples have shape {np.shape(samples)}; expected (1 or 2 channels, time)")
    if not np.isfinite(frames).all():
        raise OutputError(f"{path}: the samples hold NaN or infinity; nothing was written")
    container, encoding = "AIFF" if suffix == ".aif" else suffix[1:].upper(), WRITABLE[suffix]
    peak = float(np.abs(frames).max(initial=0.0))
    if encoding != "FLOAT" and peak > 1.0:
        logger.warning("%s: peak %+.2f dB is clipped at 0 dB; write .wav to keep it", path, 20 * np.log10(peak))
        frames = np.clip(frames, -1.0, 1.0)
    if encoding == "FLOAT":
        write_bytes(path, wav_bytes(frames, sample_rate))
        return
    encoded = io.BytesIO()
    try:
        with soundfile.SoundFile(encoded, "w", sample_rate, frames.shape[1], encoding, format=container) as file:
            # One long write of Vorbis overflows libsndfile's stack.
            for start in range(0, len(frames), BLOCK_FRAMES):
                file.write(np.ascontiguousarray(frames[start : start + BLOCK_FRAMES]))
    except (soundfile.LibsndfileError, ValueError) as error:
        raise OutputError(f"{path}: {container} cannot hold {sample_rate} Hz ({error}); write .wav or .flac") from error
    write_bytes(path, encoded.getbuffer())


def wav_bytes(frames: np.ndarray, sample_rate: int) -> memoryview:
    """A WAV file of 32-bit floats `(time, channels)`; not by libsndfile, which writes the time of day into it."""
    from scipy.io import wavfile

    encoded = io.BytesIO()
    wavfile.write(encoded, sample_rate, frames.astype(np.float32))
    return encoded.getbuffer()
