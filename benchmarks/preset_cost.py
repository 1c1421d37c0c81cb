"""What the default preset costs for a four-minute song of 16 tracks in 5 subgroups, from measured steps and trials.

    python benchmarks/preset_cost.py [--threads 2] [--trials 250]

Steps and trials are timed on the full console, so the sum is an upper bound: they get cheaper as processors go. The
number of trials is a guess to be given; the searches of docs/results.md needed 86 to 270.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch

from mixgraph.audio.song import Song
from mixgraph.cli.allocator import keep_memory
from mixgraph.config import make_config
from mixgraph.console import build_console
from mixgraph.fit.evaluate import evaluate, evaluation_starts, trial_starts
from mixgraph.fit.problem import Problem
from mixgraph.fit.start import initial_bank
from mixgraph.fit.training import Phase, train
from mixgraph.graph.graph import Graph
from mixgraph.processors.bank import ParameterBank, chain_types

TRACKS, SUBGROUPS, SECONDS = 16, 5, 240


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--trials", type=int, default=250)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    keep_memory()
    config = make_config()
    problem = Problem(noise_song(config.audio.sample_rate), config, torch.device("cpu"))
    graph = build_console(problem.song.tracks, problem.song.subgroups, chain_types(config.console.chain))
    bank = initial_bank(problem, graph)
    step = step_seconds(problem, graph, bank)
    starts, judged = evaluation_starts(problem), trial_starts(problem)
    segment = seconds(lambda: evaluate(problem, graph, bank, judged[:4])) / 4
    fit, prune = config.fit, config.prune
    steps = fit.console_steps + prune.rounds * prune.fine_tune_steps
    parts = {
        f"{steps} steps of {step:.2f} s": steps * step,
        f"{arguments.trials} trials of {len(judged)} segments of {segment:.2f} s": arguments.trials
        * len(judged)
        * segment,
        f"9 evaluations of {len(starts)} segments": 9 * len(starts) * segment,
    }
    print(f"| {TRACKS} tracks, {SUBGROUPS} subgroups, {SECONDS} s, {arguments.threads} threads | minutes at most |")
    print("|---|---|")
    for name, cost in parts.items():
        print(f"| {name} | {cost / 60:.1f} |")
    print(f"| sum | {sum(parts.values()) / 60:.0f} |")


def noise_song(sample_rate: int) -> Song:
    """Noise costs what music costs."""
    rng = np.random.default_rng(0)
    shape = (2, SECONDS * sample_rate)
    tracks = {f"track{number}": 0.1 * rng.standard_normal(shape, dtype=np.float32) for number in range(TRACKS)}
    groups = {
        f"group{group}": [f"track{number}" for number in range(group, TRACKS, SUBGROUPS)] for group in range(SUBGROUPS)
    }
    return Song.from_arrays("noise", tracks, sum(tracks.values()) * np.float32(0.3), sample_rate, groups)


def step_seconds(problem: Problem, graph: Graph, bank: ParameterBank) -> float:
    """Median of ten steps after three."""
    marks = []
    phase = Phase(0, 13, problem.config.fit.learning_rate)
    train(problem, graph, bank, phase, on_step=lambda report, moments: marks.append(time.perf_counter()))
    return statistics.median(after - before for before, after in pairwise(marks[2:]))


def seconds(work: Callable[[], object]) -> float:
    """Median of three runs after one."""
    costs = []
    for _ in range(4):
        began = time.perf_counter()
        work()
        costs.append(time.perf_counter() - began)
    return statistics.median(costs[1:])


if __name__ == "__main__":
    main()
