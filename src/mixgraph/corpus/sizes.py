"""How much memory a search takes, told from a song's files and the settings before it begins, and how much there is."""

from __future__ import annotations

import os
from pathlib import Path

from mixgraph.audio.files import LENGTH_UNKNOWN, probe
from mixgraph.audio.song_file import Layout
from mixgraph.config import SearchConfig
from mixgraph.errors import AudioFileError

LIBRARIES_MB = 700
SIGNALS_PER_STRAND = 22
"""Stereo signals of a segment, with the tails of delay and reverb, that a step keeps per track and subgroup."""
KEPT_PER_STRAND = 8
"""Stereo signals of one segment that pruning trials keep per track, subgroup and trial segment, as far as they may."""
SIGNALS_OF_MIX = 12
"""Stereo signals of the whole song beside those that wait for their subgroup, while the found mix is rendered."""
SHARE = 0.8
"""Of the memory there is, how much searches may take."""
CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def search_mb(layout: Layout, config: SearchConfig, threads: int = 1) -> float:
    """An estimate of the peak memory (10^6 bytes) of a search; see docs/corpus-runs.md for how good it is."""
    audio, loss, prune = config.audio, config.loss, config.prune
    sample_mb = 2 * 4 * audio.sample_rate / 1e6  # of one second in stereo
    seconds = [_seconds(path) for path in (*layout.tracks.values(), layout.mix) if path]
    longest = max((length for length, _ in seconds), default=0.0)
    decoded = sum(length * channels for length, channels in seconds) * sample_mb / 2
    alone = set(layout.tracks).difference(*layout.subgroups.values())
    groups = len(layout.subgroups) + len(alone) if config.console.use_subgroups else len(layout.tracks)
    strands = len(layout.tracks) + groups
    tails = config.processors.delay_seconds + config.processors.reverb_seconds
    step = SIGNALS_PER_STRAND * strands * (audio.segment_seconds + tails) * sample_mb
    step *= min(config.fit.segments_per_step, threads)
    segments = 1 + longest / prune.evaluation_hop_seconds
    heard = min(prune.trial_segments or segments, segments)
    kept = min(prune.trial_memory_mb, KEPT_PER_STRAND * strands * heard * audio.segment_seconds * sample_mb)
    # Of each segment the mel spectra and their logarithms, in four channels, at hops of a quarter.
    compared = max(0.0, audio.segment_seconds - loss.warm_up_seconds) * audio.sample_rate
    targets = segments * sum(4 * compared / size for size in loss.fft_sizes) * loss.mel_bands * 2 * 4 * 4 / 1e6
    mix = (strands + SIGNALS_OF_MIX) * longest * sample_mb
    # Mapped audio is memory that the system can take back.
    held = LIBRARIES_MB + min(decoded, audio.memory_budget_mb) + targets
    return held + max(step + (kept if prune.rounds else 0), mix)


def usable_mb() -> float:
    """The memory (10^6 bytes) that searches may take here by default: most of the machine's, or of its container's."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for file in map(Path, CGROUP_LIMITS):
        if file.is_file() and (limit := file.read_text().strip()).isdigit():
            total = min(total, int(limit))
    return SHARE * total / 1e6


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _seconds(path: Path) -> tuple[float, int]:
    """Length and channels of an audio file, nothing of one that cannot be read: its search will say so."""
    try:
        header = probe(path)
    except AudioFileError:
        return 0.0, 0
    frames = header.frames if header.frames < LENGTH_UNKNOWN else 0
    return frames / header.samplerate, header.channels
