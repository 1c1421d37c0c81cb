"""Problems of a song that show in its audio: tracks that are silent, clipped, or not where the mix has them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mixgraph.audio.files import decode, probe
from mixgraph.audio.song import load_layout
from mixgraph.audio.song_file import Layout
from mixgraph.datasets.base import Entry

SILENT_PEAK = 1e-4
"""-80 dB: nothing but dither and hum of a converter is below."""
FULL_SCALE = 1 - 2**-15
"""The largest positive sample of 16 bit."""
MISPLACED_SECONDS = 5e-3
"""Less is the latency of effects, not a track in the wrong place."""
CLIPPED_SAMPLES = 3
"""So many samples in a row at full scale are a clip, as in Audacity's Find Clipping; a normalised peak has one."""


class Level(NamedTuple):
    """The largest magnitude of a file, and how many times it stays at full scale in any channel."""

    peak: float
    clips: int


def measure(path: Path) -> Level:
    """Reads a file once, block by block; raises `AudioFileError` where it is damaged."""
    head, peak, clips = probe(path), 0.0, 0
    history = np.zeros((CLIPPED_SAMPLES, head.channels), bool)
    for block in decode(path, head.samplerate):
        if not len(block):
            continue
        magnitude = np.abs(block)
        peak = max(peak, float(magnitude.max(initial=0.0)))
        full = np.concatenate([history, magnitude >= FULL_SCALE])
        # A clip counts where its third sample is, so that one that crosses blocks counts once.
        runs = np.lib.stride_tricks.sliding_window_view(full, CLIPPED_SAMPLES + 1, axis=0)
        clips += int((runs[..., 1:].all(axis=-1) & ~runs[..., 0]).sum())
        history = full[-CLIPPED_SAMPLES:]
    return Level(peak, clips)


def audio_problems(entry: Entry) -> Iterator[str]:
    """What looks wrong, one line each; reads all files of a prepared song. Raises `SongError` at a damaged one."""
    levels = {name: measure(path) for name, path in entry.layout.tracks.items()}
    if silent := [name for name, level in levels.items() if level.peak < SILENT_PEAK]:
        yield f"silent: {', '.join(silent)}"
    if entry.layout.mix:
        levels["the mix"] = measure(entry.layout.mix)
    if clipped := [f"{name} ({level.clips})" for name, level in levels.items() if level.clips]:
        yield f"clipped (times): {', '.join(clipped)}"
    if entry.layout.mix:
        yield from _misplaced(entry.layout)


def _misplaced(layout: Layout) -> Iterator[str]:
    """What is wrong with where the mix has the tracks, as far as that can be told."""
    from mixgraph.audio.alignment import RATE, find_alignment

    with load_layout(layout, sample_rate=RATE) as song:
        found = find_alignment(song)
    if not found.trusted:
        yield f"whether tracks and mix start together cannot be told: {found.refusal}"
        return
    if abs(found.offset_seconds) > MISPLACED_SECONDS:
        shift = f"{abs(found.offset_seconds):.3f} s {'later' if found.offset_seconds > 0 else 'earlier'}"
        yield f"tracks should start {shift} to lie under the mix"
    if found.drifts:
        yield f"tracks and mix run at different speeds: {found.drift_ppm:+.0f} ppm"
