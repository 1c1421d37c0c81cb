"""Encoded pieces of sound: they decode to what went in, join, and are the same bytes each time."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
import soundfile

from mixgraph.report.opus import CHUNK_SECONDS, LEAD_SECONDS, OPUS_RATE, TAIL_SECONDS, encode_chunks

RATE = 30_000


def tones(seconds: float, channels: int = 2) -> np.ndarray:
    at = np.arange(round(seconds * RATE)) / RATE
    return np.stack([0.3 * np.sin(2 * np.pi * hz * at) for hz in (440, 620)[:channels]]).astype(np.float32)


def decoded(piece: bytes) -> np.ndarray:
    frames, rate = soundfile.read(io.BytesIO(piece), always_2d=True)
    assert rate == OPUS_RATE
    return frames.T


def test_pieces_lead_in_and_overlap() -> None:
    first, second = map(decoded, encode_chunks(tones(11), RATE, 64))
    begin, span = round(LEAD_SECONDS * OPUS_RATE), CHUNK_SECONDS * OPUS_RATE
    assert first.shape[1] >= begin + span + round(TAIL_SECONDS * OPUS_RATE)
    at = np.arange(OPUS_RATE // 2) / OPUS_RATE
    for piece, start in ((first, 0.0), (second, float(CHUNK_SECONDS))):
        wanted = 0.3 * np.sin(2 * np.pi * 440 * (at + start))
        error = piece[0, begin : begin + len(at)][200:] - wanted[200:]
        assert np.sqrt(np.mean(error**2)) < 0.02
    both = first[:, begin + span :][:, :1_000], second[:, begin:][:, :1_000]
    assert np.abs(both[0] - both[1]).max() < 0.05


def test_the_same_sound_is_the_same_bytes() -> None:
    before = encode_chunks(tones(1), RATE, 32)
    time.sleep(1.1)  # libsndfile takes the serial number from the clock
    assert encode_chunks(tones(1), RATE, 32, threads=2) == before


def test_silent_pieces_are_left_out() -> None:
    signal = np.concatenate([np.zeros((2, 11 * RATE), np.float32), tones(1)], axis=1)
    silent, sounding = encode_chunks(signal, RATE, 32)
    assert silent == b"" and len(sounding) > 1_000


def test_equal_channels_are_one() -> None:
    mono = np.repeat(tones(1, channels=1), 2, axis=0)
    assert decoded(encode_chunks(mono, RATE, 32)[0]).shape[0] == 1


@pytest.mark.parametrize("kbps", [12, 32, 64])
def test_the_bit_rate_is_what_was_asked_for(kbps: int) -> None:
    noise = np.random.default_rng(0).standard_normal((2, 10 * RATE)).astype(np.float32) * 0.1
    bits = 8 * len(encode_chunks(noise, RATE, kbps)[0]) / 10
    assert bits == pytest.approx(2_000 * kbps, rel=0.15)
