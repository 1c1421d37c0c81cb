"""What the default preset costs for a four-minute song of 16 tracks in 5 subgroups, from measured steps and trials.

    python benchmarks/preset_cost.py [--threads 2] [--trials 250]

Steps and segments are timed on the full console, and trials as if they rendered all of it on all of their segments, so
the sum is an upper bound. The number of trials is a guess to be given; those of docs/results.md needed 84 to 119.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from common import CORES, prepare

TRACKS, SUBGROUPS, SECONDS = 16, 5, 240


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=CORES)
    parser.add_argument("--trials", type=int, default=250)
    arguments = parser.parse_args()
    prepare(arguments.threads)
    import torch

    from mixgraph.bench import full_console, noise_song
    from mixgraph.config import make_config
    from mixgraph.fit.evaluate import evaluate, evaluation_starts, trial_starts
    from mixgraph.fit.problem import Problem

    config = make_config()
    problem = Problem(noise_song(TRACKS, SUBGROUPS, SECONDS, config.audio.sample_rate), config, torch.device("cpu"))
    graph, bank = full_console(problem)
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


def step_seconds(problem: Any, graph: Any, bank: Any) -> float:
    """Median of ten steps after three."""
    from mixgraph.fit.training import Phase, train

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
