"""One pruning trial over a whole song: ours, averaged over rounds, beside GRAFX rendering every segment.

    python benchmarks/trial.py [--song ../shared/songs/hydrogen | --noise] [--console-steps 150] [--tricks]
                               [--json FILE]

GRAFX: seconds per segment of the same console, measured first and in its own process, times all evaluation segments of
the song. Ours: the default preset's strategy, segments and trials after a console fit, with all that a round needs
before its first trial; the same first round several times, after a warm-up on one segment that loads the kernels.
`--tricks` adds rounds with one thing different each: every trial judged on all segments without a test, nothing kept
between trials, and the other strategies.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path
from typing import Any

from common import (
    SONGS,
    Round,
    fit,
    in_own_process,
    open_song,
    options_of,
    prepare,
    prune_once,
    save,
    say,
    spread,
    table,
    warm_up,
)

PEERS = {"GRAFX": [], "GRAFX, memory kept": ["--keep-memory"]}
TRICKS: dict[str, dict[str, Any]] = {
    "exact, all segments": {"trial_error": 0.0, "trial_segments": 0},
    "nothing kept between trials": {"trial_memory_mb": 0},
    **{f"strategy {name}": {"strategy": name} for name in ("fisher", "dry_wet", "brute_force")},
}


def main() -> None:
    options = options_of(__doc__, _add)
    segment_s = {name: _grafx(options, flags) for name, flags in PEERS.items()}
    prepare(options.threads)
    import torch

    from mixgraph.bench import full_console, noise_song
    from mixgraph.config import make_config
    from mixgraph.fit.evaluate import evaluation_starts
    from mixgraph.fit.problem import Problem

    config = make_config()
    if options.noise:
        song = noise_song(options.tracks, options.subgroups, options.seconds, config.audio.sample_rate)
    else:
        song = open_song(options.song)
    problem = Problem(song, config, torch.device("cpu"))
    graph, bank = full_console(problem)
    segments = len(evaluation_starts(problem))
    say(f"{song.name}: {options.console_steps} steps on {len(graph.processors)} processors")
    fit(problem, graph, bank, options.console_steps)
    settings = {"default preset": {}} | (TRICKS if options.tricks else {})
    warm_up(problem, graph, bank)
    rounds: dict[str, list[Round]] = {}
    for name, changes in settings.items():
        say(f"rounds: {name}")
        changed = Problem(song, make_config(changes={"prune": changes}), problem.device)
        rounds[name] = [prune_once(changed, graph, bank) for _ in range(options.rounds)]
    _print_trials(f"{song.name}, {song.samples / song.sample_rate:.0f} s", segment_s, segments, rounds)
    save(
        options,
        segments=segments,
        grafx_segment_s=segment_s,
        rounds={
            name: [vars(one) | {"seconds_per_trial": one.seconds_per_trial} for one in found]
            for name, found in rounds.items()
        },
    )


def _add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--song", type=Path, default=SONGS / "hydrogen", metavar="FOLDER")
    parser.add_argument("--noise", action="store_true", help="a song of noise instead")
    parser.add_argument("--tracks", type=int, default=16, help="of the noise")
    parser.add_argument("--subgroups", type=int, default=5, help="of the noise")
    parser.add_argument("--seconds", type=float, default=240, help="of the noise")
    parser.add_argument("--console-steps", type=int, default=150, help="of the fit before the round")
    parser.add_argument("--repeats", type=int, default=5, help="segments that GRAFX renders")
    parser.add_argument("--rounds", type=int, default=3, help="how often the same round")
    parser.add_argument("--tricks", action="store_true", help="as many more of each kind with one thing different")


def _grafx(options: argparse.Namespace, flags: list[str]) -> list[float]:
    """Seconds of each segment."""
    noise = ["--tracks", str(options.tracks), "--subgroups", str(options.subgroups)]
    what = noise if options.noise else ["--song", str(options.song.absolute())]
    how = ["--segments-only", "--threads", str(options.threads), "--repeats", str(options.repeats)]
    say("GRAFX's segments")
    return in_own_process("benchmarks/grafx_engine.py", *what, *how, *flags)["times"]["segment_s"]


def _print_trials(title: str, segment_s: dict[str, list[float]], segments: int, rounds: dict[str, list[Round]]) -> None:
    rows: list[list[Any]] = [
        [name, segments, *spread([segments * value for value in values], 1, 2), *[""] * len(segment_s)]
        for name, values in segment_s.items()
    ]
    for name, found in rounds.items():
        means = [one.seconds_per_trial for one in found]
        costs = [
            f"{segments * statistics.median(values) / statistics.median(means):.0f}" for values in segment_s.values()
        ]
        renders = statistics.mean(one.renders / len(one.trials_s) for one in found)
        rows.append([f"ours, {name}: mean of a round with all", f"{renders:.1f}", *spread(means, 1, 3), *costs])
        trials = [seconds for one in found for seconds in one.trials_s]
        rows.append([f"ours, {name}: trials alone", "", *spread(trials, 1, 3), *[""] * len(segment_s)])
    header = ["seconds of a trial", "renders", "min", "median", "max", *(f"{name} over ours" for name in segment_s)]
    table(f"A trial: {title}", header, rows)
    rows = []
    for name, found in rounds.items():
        one, seconds = found[0], [one.seconds for one in found]
        ready = statistics.median(one.ready_s for one in found)
        came = [len(one.trials_s), one.renders, one.segments, one.removed, f"{one.loss:.4f}"]
        rows.append([name, f"{ready:.1f}", *spread(seconds, 1, 1), *came])
    header = ["round", "seconds before the trials", "seconds min", "median", "max", "trials", "renders", "segments"]
    table("The rounds", [*header, "removed", "loss"], rows)


if __name__ == "__main__":
    main()
