"""Steps and seconds that our schedule needs to reach the losses that the published one has after 600, 1200, 2400.

    python benchmarks/convergence.py [--song ../shared/songs/hydrogen] [--published-steps 2400]
                                     [--lengths 60 100 150 240 300 480] [--json FILE]

Both fit the same console with the same dynamics, loss and engine; only start, learning rate, its schedule and restarts
differ (`make_config("paper").fit` against the default preset's). Each length is a run of its own, since its schedule
ends there; the first to reach all losses is the last. Losses are evaluated over the whole song, target convention;
seconds leave the evaluations out.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from common import SONGS, open_song, options_of, prepare, save, say, table

Curve = list[dict[str, float]]


def main() -> None:
    options = options_of(__doc__, _add)
    prepare(options.threads)
    from mixgraph.config import make_config

    song, published = open_song(options.song), make_config("paper").fit
    ours = make_config().fit
    _curve(song, ours, 2, 2)  # the first steps of a process load kernels
    say(f"{song.name}: published schedule")
    reference = _curve(song, published, options.published_steps, options.every)
    lowest = min((point["loss"] for point in reference if point["step"] in options.targets), default=0.0)
    runs: dict[int, Curve] = {}
    for length in sorted(options.lengths):
        say(f"{song.name}: our schedule, {length} steps")
        runs[length] = _curve(song, ours, length, max(1, length // 6))
        if runs[length][-1]["loss"] <= lowest and not options.all_lengths:
            break
    print(f"{song.name}: the published schedule against ours")
    _print_reached(reference, runs, options.targets)
    rows = [[length, f"{curve[-1]['loss']:.4f}", f"{curve[-1]['seconds']:.1f}"] for length, curve in runs.items()]
    table("Ours, each length a run of its own", ["steps", "loss at the end", "seconds"], rows)
    rows = [[round(point["step"]), f"{point['loss']:.4f}", f"{point['seconds']:.1f}"] for point in reference]
    table("The published schedule", ["steps", "loss", "seconds"], rows)
    save(options, song=song.name, published=reference, ours={str(length): curve for length, curve in runs.items()})


def _add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--song", type=Path, default=SONGS / "hydrogen", metavar="FOLDER")
    parser.add_argument("--published-steps", type=int, default=2_400, metavar="N")
    parser.add_argument("--targets", type=int, nargs="*", default=[600, 1_200, 2_400], metavar="N")
    parser.add_argument("--lengths", type=int, nargs="*", default=[60, 100, 150, 240, 300, 480], metavar="N")
    parser.add_argument("--all-lengths", action="store_true", help="go on when every loss has been reached")
    parser.add_argument("--every", type=int, default=100, help="steps between evaluations of the published schedule")


def _curve(song: Any, settings: Any, steps: int, every: int) -> Curve:
    """Loss over the song at the start, every so many steps and at the end, beside the seconds of training."""
    import torch

    from mixgraph.bench import full_console
    from mixgraph.config import make_config
    from mixgraph.fit.evaluate import evaluate, evaluation_starts
    from mixgraph.fit.problem import Problem
    from mixgraph.fit.training import Phase, train

    config = make_config().model_copy(update={"fit": settings})
    problem = Problem(song, config, torch.device("cpu"))
    starts, clock, curve = evaluation_starts(problem), time.perf_counter(), []
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
    phase = Phase(0, steps, settings.learning_rate, settings.learning_rate_schedule)
    train(problem, graph, bank, phase, on_step=on_step)
    return curve


def _print_reached(reference: Curve, runs: dict[int, Curve], targets: list[int]) -> None:
    rows = []
    for target in targets:
        known = [point for point in reference if point["step"] == target]
        if not known:
            continue
        wanted = known[0]
        row = [target, f"{wanted['loss']:.4f}", f"{wanted['seconds']:.1f}"]
        ends = [curve[-1] for curve in runs.values() if curve[-1]["loss"] <= wanted["loss"]]
        if ends:
            end = ends[0]
            row += [round(end["step"]), f"{end['loss']:.4f}", f"{end['seconds']:.1f}", f"{target / end['step']:.1f}"]
        else:
            row += ["none of these", "", "", ""]
        rows.append(row)
    header = ["published steps", "loss", "seconds", "our steps to it", "loss", "seconds", "times fewer steps"]
    table("Steps to the published loss", header, rows)


if __name__ == "__main__":
    main()
