"""Tiny stem files, and sound for them that a lossy codec keeps well."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tests.audio.folders import RATE
from tests.datasets.expected import FRAMES


def chirp(number: int) -> np.ndarray:
    """A sweep (2, `FRAMES`) that a lossy codec keeps well."""
    time = np.arange(FRAMES) / RATE
    left, right = (np.sin(2 * np.pi * (start + 40 * number * time) * time) for start in (200, 300))
    return (0.5 * np.stack([left, right])).astype(np.float32)


def write_stem_file(file: Path, streams: list[np.ndarray]) -> None:
    """Five AAC streams (2, time) in one MP4, as Native Instruments' stem files."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(file), "w", format="mp4") as container:
        encoders = [container.add_stream("aac", rate=RATE, layout="stereo", bit_rate=128_000) for _ in streams]
        for encoder, samples in zip(encoders, streams, strict=True):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples, np.float32), "fltp", "stereo")
            frame.sample_rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), 0
            for packet in (*encoder.encode(frame), *encoder.encode(None)):
                container.mux(packet)
