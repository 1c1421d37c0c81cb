"""How the cost grows: of a step with the number of tracks, of a search with the length of the song.

    python benchmarks/growth.py [--tracks 4 8 16 32 64] [--seconds 40 80 160 300] [--rounds 3]
                                [--song FOLDER | --noise K/S] [--json FILE]

Steps run in processes of their own, as in `steps.py`. A search of the default preset is put together from what is
measured on a song repeated to each length (default: hydrogen): a training step, the first round of pruning after a
console fit, and evaluated segments. Its steps are as many for every song; the first round has the most to try, so the
sum is an upper bound. Each round measures every length once, so that ratios are of neighbouring minutes.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path
from typing import Any

import numpy as np

from common import (
    PICKS,
    SONGS,
    fit,
    in_own_process,
    looped,
    open_song,
    options_of,
    prepare,
    prune_once,
    save,
    say,
    spread,
    table,
    timed,
    warm_up,
)

EVALUATIONS = 10
"""Of a whole song in a search: plain sum, console, pruned, one without each of seven types."""


def main() -> None:
    options = options_of(__doc__, _add)
    steps = {count: _step(count, options) for count in options.tracks}
    _print_steps(steps)
    prepare(options.threads)
    from mixgraph.bench import noise_song
    from mixgraph.config import make_config

    if options.noise:
        tracks, subgroups = map(int, options.noise.split("/"))
        song = noise_song(tracks, subgroups, 20, make_config().audio.sample_rate)
    else:
        song = open_song(options.song)
    searches: dict[float, list[dict[str, float]]] = {seconds: [] for seconds in options.seconds}
    for _ in range(options.rounds):
        for seconds, found in searches.items():
            found.append(_search(song, seconds, options))
    _print_searches(f"{song.name}, {len(song.tracks)} tracks", searches)
    save(options, steps=steps, searches=searches)


def _add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tracks", type=int, nargs="*", default=[4, 8, 16, 32, 64], metavar="K")
    parser.add_argument("--repeats", type=int, default=5, help="steps of each size")
    parser.add_argument("--seconds", type=float, nargs="*", default=[40, 80, 160, 300], metavar="S")
    parser.add_argument("--rounds", type=int, default=3, help="searches of each length")
    parser.add_argument("--console-steps", type=int, default=100, help="of the fit before the round of pruning")
    parser.add_argument("--song", type=Path, default=SONGS / "hydrogen", metavar="FOLDER")
    parser.add_argument("--noise", metavar="K/S", help="noise in so many tracks and subgroups instead of a song")


def _step(tracks: int, options: argparse.Namespace) -> dict[str, Any]:
    subgroups = max(1, round(0.3 * tracks))
    say(f"step: {tracks} tracks, {subgroups} subgroups")
    size = ["--tracks", str(tracks), "--subgroups", str(subgroups)]
    how = ["--repeats", str(options.repeats), "--threads", str(options.threads)]
    return in_own_process("-m", "mixgraph", "bench", "step", "--json", *size, *how)


def _print_steps(steps: dict[int, dict[str, Any]]) -> None:
    if not steps:
        return
    rows = [
        [
            f"{count}/{found['subgroups']}",
            *spread(found["times"]["step_s"]),
            f"{1_000 * found['step_s'] / count:.1f}",
            f"{1_000 * found['segment_s']:.0f}",
            f"{found['rss_mb']:.0f}",
        ]
        for count, found in steps.items()
    ]
    header = ["tracks/subgroups", "step min ms", "median ms", "max ms", "ms per track", "segment ms", "peak MB"]
    table("A training step, by tracks", header, rows)
    if len(steps) > 1:
        counts, times = np.array(list(steps)), np.array([found["step_s"] for found in steps.values()])
        # Relative errors count: a straight line through the large ones alone would say nothing of the small.
        slope, offset = np.polyfit(counts, times, 1, w=1 / times)
        power = np.polyfit(np.log(counts), np.log(times), 1)[0]
        worst = np.abs((offset + slope * counts) / times - 1).max()
        line = f"step = {1_000 * offset:.0f} ms + {1_000 * slope:.1f} ms per track, off by {worst:.0%} at most"
        print(f"\n{line}; step ~ tracks^{power:.2f}", flush=True)


def _search(song: Any, seconds: float, options: argparse.Namespace) -> dict[str, float]:
    """What the parts of a search of the default preset take on the song at this length."""
    import torch

    from mixgraph.bench import full_console
    from mixgraph.config import make_config
    from mixgraph.fit.evaluate import evaluate, evaluation_starts
    from mixgraph.fit.problem import Problem

    say(f"search: {seconds:g} s")
    problem = Problem(looped(song, seconds), make_config(), torch.device("cpu"))
    graph, bank = full_console(problem)
    step_s = statistics.median(fit(problem, graph, bank, options.console_steps))
    warm_up(problem, graph, bank)
    found = prune_once(problem, graph, bank)
    starts = evaluation_starts(problem)
    some = starts[:4]
    segment_s = statistics.median(timed(lambda: evaluate(problem, graph, bank, some), 3)) / len(some)
    settings, prune = problem.config.fit, problem.config.prune
    parts = {
        "steps_s": (settings.console_steps + prune.rounds * prune.fine_tune_steps) * step_s,
        "rounds_s": prune.rounds * found.seconds,
        "evaluations_s": EVALUATIONS * len(starts) * segment_s,
    }
    measured = {"step_s": step_s, "segment_s": segment_s, "segments": len(starts), "judged": found.segments}
    round_of = {"round_s": found.seconds, "trials": len(found.trials_s), "renders": found.renders}
    return measured | round_of | parts | {"search_s": sum(parts.values())}


def _print_searches(title: str, searches: dict[float, list[dict[str, float]]]) -> None:
    if not searches:
        return
    parts = ("steps_s", "rounds_s", "evaluations_s", "search_s")
    rows = []
    for seconds, found in searches.items():
        segments, judged, trials, renders = (
            round(statistics.median(run[count] for run in found))
            for count in ("segments", "judged", "trials", "renders")
        )
        minutes = (f"{statistics.median(run[part] for run in found) / 60:.1f}" for part in parts)
        counts = [segments, judged, trials, renders, f"{renders / max(1, trials):.1f}"]
        rows.append([f"{seconds:g}", *counts, f"{statistics.median(run['round_s'] for run in found):.1f}", *minutes])
    header = ["song s", "segments", "that judge trials", "trials", "renders", "renders a trial", "round s"]
    header += ["steps min", "rounds min", "evaluations min", "search min"]
    table(f"A search, by length, medians: {title}", header, rows)
    first_seconds, first = next(iter(searches.items()))
    rows = []
    for seconds, found in searches.items():
        row = [f"{seconds:g}", f"{seconds / first_seconds:.1f}"]
        row += spread([run["search_s"] for run in found], 1 / 60, 2)
        for part in ("round_s", "search_s"):
            row += spread([run[part] / base[part] for run, base in zip(found, first, strict=True)], 1, 2)
        rows.append(row)
    header = ["song s", "song x"]
    header += [f"{what} {pick}" for what in ("search min,", "round x,", "search x,") for pick in PICKS]
    table(f"A search beside one of {first_seconds:g} s", header, rows)


if __name__ == "__main__":
    main()
