"""What a training step and an evaluated segment of a full console cost: the numbers of `mixgraph bench`."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from mixgraph.audio.song import Song
from mixgraph.config import SearchConfig
from mixgraph.console import build_console
from mixgraph.errors import ConfigError
from mixgraph.fit.problem import Problem
from mixgraph.fit.start import initial_bank
from mixgraph.fit.training import Phase, train
from mixgraph.graph.graph import Graph
from mixgraph.memory import peak_memory_mb
from mixgraph.processors.bank import ParameterBank, chain_types

SPARE_SECONDS = 0.1
"""How much longer than a segment the noise is, so that each step sees another segment, as in a song."""


@dataclass(frozen=True)
class Cost:
    """Seconds of each step (forward, loss, backward, update) and each segment (render, loss), and memory.

    `rss_mb` is the peak of the process after the steps, `before_mb` its peak before the first, with the song loaded.
    """

    step_s: tuple[float, ...]
    segment_s: tuple[float, ...]
    rss_mb: float
    before_mb: float


def noise_song(tracks: int, subgroups: int, seconds: float, sample_rate: int, *, seed: int = 0) -> Song:
    """Stereo noise, which costs what music costs; track k is in subgroup k modulo their number."""
    if not 1 <= subgroups <= tracks:
        raise ConfigError(f"{tracks} tracks in {subgroups} subgroups: expected 1 subgroup or more, and no empty ones")
    rng = np.random.default_rng(seed)
    shape = (2, round(seconds * sample_rate))
    audio = {f"track {number}": rng.standard_normal(shape, dtype=np.float32) for number in range(tracks)}
    mix = np.zeros(shape, np.float32)
    for signal in audio.values():
        signal *= np.float32(0.1)
        mix += np.float32(0.3) * signal
    names = list(audio)
    groups = {f"group {number}": names[number::subgroups] for number in range(subgroups)}
    return Song.from_arrays("noise", audio, mix, sample_rate, groups)


def noise_problem(tracks: int, subgroups: int, config: SearchConfig, device: torch.device) -> Problem:
    """Noise of little more than a segment, to be matched."""
    audio = config.audio
    song = noise_song(tracks, subgroups, audio.segment_seconds + SPARE_SECONDS, audio.sample_rate, seed=config.seed)
    return Problem(song, config, device)


def full_console(problem: Problem) -> tuple[Graph, ParameterBank]:
    """The console that a search of the problem's song starts from."""
    console, song = problem.config.console, problem.song
    subgroups = song.subgroups if console.use_subgroups else {}
    graph = build_console(song.tracks, subgroups, chain_types(console.chain))
    return graph, initial_bank(problem, graph)


def measure(problem: Problem, graph: Graph, bank: ParameterBank, *, repeats: int = 10, warm_up: int = 3) -> Cost:
    """Times of training steps, which change the bank, and of segments; the first `warm_up` of each are left out."""
    if repeats < 1 or warm_up < 0:
        raise ConfigError(f"{repeats} repeats after {warm_up}: expected 1 or more after 0 or more")
    count, before = warm_up + repeats, peak_memory_mb()
    marks = [time.perf_counter()]
    phase = Phase(0, count, problem.config.fit.learning_rate)
    train(problem, graph, bank, phase, on_step=lambda report, moments: marks.append(time.perf_counter()))
    steps, peak = _lasted(marks), peak_memory_mb()
    marks = [time.perf_counter()]
    renderer, loss = problem.renderer(graph), problem.mix_loss
    with torch.no_grad():
        for _ in range(count):
            estimate = loss.features(renderer.render(problem.sources(0), bank).output)
            # A number, so that a GPU has to finish.
            loss.compare(estimate=estimate, target=problem.target(0, cached=True)).total.item()
            marks.append(time.perf_counter())
    return Cost(steps[warm_up:], _lasted(marks)[warm_up:], peak, before)


def _lasted(marks: list[float]) -> tuple[float, ...]:
    return tuple(after - before for before, after in pairwise(marks))
