"""Ogg Opus in pieces that a page can decode one by one: each begins before its time and ends after it, so that the
codec has settled where one piece takes over from the other. Chromium, Firefox and Safari from 18.4 on decode it.

Opus runs at 48 kHz whatever the song's rate; browsers convert back to the rate that they are asked for.
"""

from __future__ import annotations

import io
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
import soundfile
import soxr

OPUS_RATE: Final = 48_000
CHUNK_SECONDS: Final = 10
LEAD_SECONDS: Final = 0.1  # a decoder has converged after 80 ms (RFC 7845, section 4.6)
TAIL_SECONDS: Final = 0.05
SILENCE: Final = 1e-5
KBPS: Final = (6, 256)  # per channel: what libsndfile's compression levels 1 and 0 stand for
REVERSED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def encode_chunks(signal: np.ndarray, sample_rate: int, kbps: float, *, threads: int = 1) -> list[bytes]:
    """One Ogg Opus file for every `CHUNK_SECONDS` of a signal `(channels, samples)`, empty where it is silent.

    The first sample of a file lies `LEAD_SECONDS` before its chunk, its last one `TAIL_SECONDS` after it.
    Channels that are equal become one. `kbps` is for each channel. The same signal gives the same bytes.
    """
    if len(signal) == 2 and np.array_equal(signal[0], signal[1]):
        signal = signal[:1]
    frames = soxr.resample(signal.T, sample_rate, OPUS_RATE, quality="HQ")
    lead, tail, step = (round(seconds * OPUS_RATE) for seconds in (LEAD_SECONDS, TAIL_SECONDS, CHUNK_SECONDS))
    padded = np.pad(frames, ((lead, tail), (0, 0)))
    pieces = [padded[first : first + lead + step + tail] for first in range(0, len(frames), step)]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda piece: _encode(piece, kbps) if np.abs(piece).max() > SILENCE else b"", pieces))


def _encode(frames: np.ndarray, kbps: float) -> bytes:
    """Frames `(time, channels)` at `OPUS_RATE` as an Ogg Opus file."""
    level = (KBPS[1] - kbps) / (KBPS[1] - KBPS[0])
    file = io.BytesIO()
    with soundfile.SoundFile(
        file, "w", OPUS_RATE, frames.shape[1], "OPUS", format="OGG", compression_level=level
    ) as opus:
        opus.write(np.ascontiguousarray(frames, dtype=np.float32))
    return _with_serial_number(file.getvalue(), 0)


def _with_serial_number(ogg: bytes, serial: int) -> bytes:
    """The file with another serial number, which libsndfile draws by the clock (page layout: RFC 3533, section 6)."""
    pages, start = [], 0
    while start < len(ogg):
        segments = ogg[start + 26]
        end = start + 27 + segments + sum(ogg[start + 27 : start + 27 + segments])
        page = bytearray(ogg[start:end])
        page[14:18] = struct.pack("<I", serial)
        page[22:26] = bytes(4)
        page[22:26] = struct.pack("<I", _checksum(bytes(page)))
        pages.append(bytes(page))
        start = end
    return b"".join(pages)


def _checksum(page: bytes) -> int:
    """Ogg's CRC-32: zlib's polynomial with the bits the other way round, from zero and not inverted."""
    reflected = zlib.crc32(page.translate(REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{reflected:032b}"[::-1], 2)
