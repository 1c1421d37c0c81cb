"""Problems for trials: songs of noise in three segments, some of them with tracks that are silent there."""

from __future__ import annotations

from collections.abc import Collection

import torch

from mixgraph.audio.song import Song
from mixgraph.fit.problem import Problem
from mixgraph.graph.graph import Graph
from mixgraph.processors.bank import ParameterBank
from tests.engine import RATE, noise, random_bank, small_problem, tracks_of

SAMPLES = 5_200  # three segments: at 0, 1600 and 3200, of 2000 samples each


def patchy_problem(graph: Graph, mutes: Collection[tuple[str, int]] = (), **sections) -> Problem:
    """A song for the graph's tracks; `mutes` are tracks and the segments that hear nothing of them."""
    names = tracks_of(graph)
    tracks = noise(len(names), 2, SAMPLES, dtype=torch.float32).numpy()
    mix = 0.7 * tracks.sum(0)
    for name, segment in mutes:
        tracks[names.index(name), :, 1_600 * segment : 1_600 * segment + 2_000] = 0
    return small_problem(Song.from_arrays("patchy", dict(zip(names, tracks, strict=True)), mix, RATE), **sections)


def bank_of(graph: Graph, problem: Problem, seed: int = 0) -> ParameterBank:
    return random_bank(graph, problem.processors, seed=seed, dtype=torch.float32)
