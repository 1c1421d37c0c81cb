"""What the benchmarks share: options, songs, one pruning round, spreads, Markdown tables and JSON."""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
SONGS = ROOT.parent / "shared" / "songs"
CORES = os.cpu_count() or 1
Curve = list[dict[str, float]]
"""Points of a fit: its step, the seconds of training to it, the loss over the song."""


def options_of(description: str | None, add: Callable[[argparse.ArgumentParser], None]) -> argparse.Namespace:
    """The command line: what `add` adds, `--threads` and `--json`."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    add(parser)
    parser.add_argument("--threads", type=int, default=CORES, metavar="N", help=f"CPU threads (default {CORES})")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured there")
    return parser.parse_args()


def prepare(threads: int) -> None:
    """Memory and threads as the command line of mixgraph sets them."""
    from mixgraph.memory import keep_memory
    from mixgraph.threads import wait_briefly

    keep_memory()
    wait_briefly()
    import torch

    torch.set_num_threads(threads)


def table(title: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Prints a Markdown table."""
    print(f"\n### {title}\n")
    print(f"| {' | '.join(header)} |")
    print("|" + "---|" * len(header))
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |")
    sys.stdout.flush()


def say(text: str) -> None:
    """A word on progress, kept apart from the tables."""
    print(text, file=sys.stderr, flush=True)


def save(options: argparse.Namespace, **found: Any) -> None:
    """Writes what was found, the options and the machine to `--json`, if that was given."""
    if options.json is None:
        return
    given = {name: [*map(str, v)] if isinstance(v, list) else str(v) for name, v in vars(options).items()}
    machine = {"platform": platform.platform(), "cores": CORES, "processor": _processor()}
    document = {"options": given, "machine": machine, **found}
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


PICKS = "min", "median", "max"
"""The columns of a `spread`."""


def spread(values: Sequence[float], scale: float = 1_000, digits: int = 0) -> list[str]:
    """Minimum, median and maximum as cells, in milliseconds unless told otherwise."""
    return [f"{scale * pick(values):.{digits}f}" for pick in (min, statistics.median, max)]


def in_own_process(*command: str) -> dict[str, Any]:
    """The JSON on the last line of what a Python process prints; its peak memory is then its own."""
    run = subprocess.run([sys.executable, *command], capture_output=True, text=True, cwd=ROOT)
    if run.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{run.stderr}")
    return json.loads(run.stdout.splitlines()[-1])


def timed(work: Callable[[], object], repeats: int, warm_up: int = 1) -> list[float]:
    """Seconds of each of `repeats` runs after `warm_up` that do not count."""
    marks = []
    for _ in range(warm_up + repeats):
        began = time.perf_counter()
        work()
        marks.append(time.perf_counter() - began)
    return marks[warm_up:]


def open_song(folder: Path) -> Any:
    """A song folder at the working rate."""
    from mixgraph.audio.song import load_song
    from mixgraph.config import make_config

    audio = make_config().audio
    return load_song(folder, sample_rate=audio.sample_rate, memory_budget_mb=audio.memory_budget_mb)


def looped(song: Any, seconds: float) -> Any:
    """A song of so many seconds, repeated or cut."""
    from mixgraph.audio.song import Song

    samples = round(seconds * song.sample_rate)
    times = math.ceil(samples / song.samples)
    tracks = {name: np.tile(song.track(name), times)[:, :samples] for name in song.tracks}
    mix = np.tile(song.mix(), times)[:, :samples]
    return Song.from_arrays(f"{song.name} {seconds:g} s", tracks, mix, song.sample_rate, song.subgroups)


def fit(problem: Any, graph: Any, bank: Any, steps: int) -> list[float]:
    """Fits the console as the problem's settings say, but for so many steps; returns the seconds of each."""
    from mixgraph.fit.training import Phase, train

    settings, marks = problem.config.fit, [time.perf_counter()]
    phase = Phase(0, steps, settings.learning_rate, settings.learning_rate_schedule)
    train(problem, graph, bank, phase, on_step=lambda report, moments: marks.append(time.perf_counter()))
    return [after - before for before, after in pairwise(marks)]


def loss_curve(song: Any, config: Any, steps: int, every: int) -> Curve:
    """Loss over the song at the start, every so many steps and at the end, beside the seconds of training."""
    import torch

    from mixgraph.bench import full_console
    from mixgraph.fit.evaluate import evaluate, evaluation_starts
    from mixgraph.fit.problem import Problem
    from mixgraph.fit.training import Phase, train

    problem = Problem(song, config, torch.device("cpu"))
    starts, clock, curve = evaluation_starts(problem), time.perf_counter(), Curve()
    graph, bank = full_console(problem)
    seconds = time.perf_counter() - clock

    def note(step: int) -> None:
        loss = evaluate(problem, graph, bank, starts).target.total
        curve.append({"step": step, "seconds": seconds, "loss": loss})

    def on_step(report: Any, moments: Any) -> None:
        nonlocal seconds, clock
        seconds += time.perf_counter() - clock
        if report.step % every == 0 or report.step == steps:
            note(report.step)
        clock = time.perf_counter()

    note(0)
    clock = time.perf_counter()
    phase = Phase(0, steps, config.fit.learning_rate, config.fit.learning_rate_schedule)
    train(problem, graph, bank, phase, on_step=on_step)
    return curve


@dataclass(frozen=True)
class Round:
    """What one round of pruning took: seconds before the first trial and of each trial, and what came of it.

    `loss` is that of the last trial that was kept, on the segments that judge trials.
    """

    ready_s: float
    trials_s: list[float]
    renders: int
    segments: int
    removed: int
    loss: float

    @property
    def seconds(self) -> float:
        """All of it."""
        return self.ready_s + sum(self.trials_s)

    @property
    def seconds_per_trial(self) -> float:
        """All of it, shared out among the trials."""
        return self.seconds / len(self.trials_s)


def warm_up(problem: Any, graph: Any, bank: Any) -> None:
    """Loads the kernels that trials call."""
    from mixgraph.fit.evaluate import evaluation_starts
    from mixgraph.fit.trials import Trials

    Trials(problem, graph, bank, evaluation_starts(problem)[:1]).probe(1)


def prune_once(problem: Any, graph: Any, bank: Any) -> Round:
    """The first round of pruning as `mixgraph.run.search` does it, and what it takes."""
    from mixgraph.fit.evaluate import trial_starts
    from mixgraph.fit.importance import fisher_scores
    from mixgraph.fit.trials import Trials
    from mixgraph.prune.pruning import prune_round
    from mixgraph.prune.strategies.base import STRATEGIES, Remaining

    prune, marks = problem.config.prune, [time.perf_counter()]
    starts = trial_starts(problem)
    trials = Trials(problem, graph, bank, starts, error=prune.trial_error, memory_mb=prune.trial_memory_mb)
    strategy, importance = STRATEGIES[prune.strategy](prune), {}
    if strategy.importance == "probe":
        importance = trials.probe(prune.probe_segments)
    elif strategy.importance == "fisher":
        importance = fisher_scores(problem, graph, bank, starts[:: -(-len(starts) // prune.fisher_segments)])
    remaining = Remaining(bank.ids, bank.dry_wet(), importance)
    rng = random.Random(f"{problem.config.seed}/1")
    proposals = strategy.propose(remaining, round_number=1, rng=rng)
    marks.append(time.perf_counter())
    outcome = prune_round(
        proposals,
        losses=trials,
        tolerance=prune.tolerance,
        on_trial=lambda trial: marks.append(time.perf_counter()),
    )
    lasted = [after - before for before, after in pairwise(marks)]
    kept = [trial.loss for trial in outcome.trials if trial.accepted]
    loss = kept[-1] if kept else trials.first()
    return Round(lasted[0], lasted[1:], trials.renders, len(starts), len(outcome.removed), loss)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
