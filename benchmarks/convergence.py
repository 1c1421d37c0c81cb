"""Steps and seconds that our schedule needs to reach the losses that the published one has after 600, 1200, 2400.

    python benchmarks/convergence.py [--song ../shared/songs/hydrogen] [--published-steps 2400]
                                     [--lengths 120 240 480 600] [--seeds 0 1 2] [--json FILE]

Both fit the same console with the same dynamics, loss and engine; only start, learning rate, its schedule and restarts
differ (`make_config("paper").fit` against the default preset's). Each length is a run of its own, since its schedule
ends there; the first to reach all losses is the last. Each seed draws segments and random parameters anew, for both;
`--published-steps 2400 1200` takes only the first seed all the way. Losses are evaluated over the whole song, target
convention; seconds leave the evaluations out.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from common import PICKS, SONGS, Curve, loss_curve, open_song, options_of, prepare, save, say, spread, table


@dataclass(frozen=True)
class Run:
    """Both schedules with one seed: loss against steps and seconds, of ours for each length."""

    seed: int
    published: Curve
    ours: dict[int, Curve]

    def reached(self, targets: list[int]) -> Iterator[tuple[dict[str, float], dict[str, float] | None]]:
        """Where the published schedule is after so many steps, and the end of our shortest run that is as low."""
        for wanted in self.published:
            if wanted["step"] in targets:
                ends = [curve[-1] for curve in self.ours.values() if curve[-1]["loss"] <= wanted["loss"]]
                yield wanted, ends[0] if ends else None


def main() -> None:
    options = options_of(__doc__, _add)
    prepare(options.threads)
    from mixgraph.config import make_config

    song, runs = open_song(options.song), list[Run]()
    loss_curve(song, make_config(), 2, 2)  # the first steps of a process load kernels
    lengths = [*options.published_steps, *options.published_steps[-1:] * len(options.seeds)]
    for seed, steps in zip(options.seeds, lengths, strict=False):
        runs.append(_run(song, seed, steps, options))
        save(options, song=song.name, runs=[asdict(run) for run in runs])
    print(f"{song.name}: the published schedule against ours")
    _print_reached(runs, options.targets)
    _print_curves("Ours, each length a run of its own", [[c[-1] for c in run.ours.values()] for run in runs])
    _print_curves("The published schedule", [run.published for run in runs])


def _add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--song", type=Path, default=SONGS / "hydrogen", metavar="FOLDER")
    each = "of the first seed, the second and so on; the last number is for all further ones"
    parser.add_argument("--published-steps", type=int, nargs="+", default=[2_400], metavar="N", help=each)
    parser.add_argument("--targets", type=int, nargs="*", default=[600, 1_200, 2_400], metavar="N")
    parser.add_argument("--lengths", type=int, nargs="*", default=[120, 240, 480, 600], metavar="N")
    parser.add_argument("--all-lengths", action="store_true", help="go on when every loss has been reached")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], metavar="N", help="both schedules with each")
    parser.add_argument("--every", type=int, default=200, help="steps between evaluations of the published schedule")


def _run(song: Any, seed: int, steps: int, options: argparse.Namespace) -> Run:
    from mixgraph.config import make_config

    say(f"{song.name}, seed {seed}: published schedule")
    config = make_config(changes={"seed": seed})
    theirs = config.model_copy(update={"fit": make_config("paper").fit})
    published = loss_curve(song, theirs, steps, options.every)
    lowest = min((point["loss"] for point in published if point["step"] in options.targets), default=0.0)
    ours: dict[int, Curve] = {}
    for length in sorted(options.lengths):
        say(f"{song.name}, seed {seed}: our schedule, {length} steps")
        ours[length] = loss_curve(song, config, length, max(1, length // 4))
        if ours[length][-1]["loss"] <= lowest and not options.all_lengths:
            break
    return Run(seed, published, ours)


def _print_reached(runs: list[Run], targets: list[int]) -> None:
    rows, ratios, asked = list[list[Any]](), defaultdict[int, list[tuple[float, float]]](list), Counter[int]()
    for run in runs:
        for wanted, end in run.reached(targets):
            row, target = [run.seed, *_cells(wanted)], round(wanted["step"])
            asked[target] += 1
            if end:
                steps, seconds = (wanted[unit] / end[unit] for unit in ("step", "seconds"))
                ratios[target].append((steps, seconds))
                row += [*_cells(end), f"{steps:.1f}", f"{seconds:.1f}"]
            else:
                row += ["none of these", "", "", "", ""]
            rows.append(row)
    header = ["seed", "published steps", "loss", "seconds", "our steps to it", "loss", "seconds"]
    table("Steps to the published loss", [*header, "times fewer steps", "times less time"], rows)
    rows = []
    for target, seeds in asked.items():
        steps, seconds = zip(*ratios[target], strict=True) if ratios[target] else ([math.nan], [math.nan])
        cells = [*spread(steps, 1, 1), *spread(seconds, 1, 1)]
        rows.append([target, f"{len(ratios[target])} of {seeds}", *cells])
    columns = [f"{what} {pick}" for what in ("times fewer steps,", "times less time,") for pick in PICKS]
    table("Over the seeds that reached it", ["published steps", "seeds", *columns], rows)


def _cells(point: dict[str, float]) -> list[Any]:
    return [round(point["step"]), f"{point['loss']:.4f}", f"{point['seconds']:.1f}"]


def _print_curves(title: str, curves: list[Curve]) -> None:
    """Loss and seconds after so many steps, over the runs that went so far."""
    rows = []
    for step in sorted({round(point["step"]) for curve in curves for point in curve}):
        points = [point for curve in curves for point in curve if point["step"] == step]
        losses, seconds = ([point[key] for point in points] for key in ("loss", "seconds"))
        rows.append([step, *spread(losses, 1, 4), *spread(seconds, 1, 1), len(points)])
    header = ["steps", *(f"{unit} {pick}" for unit in ("loss", "seconds") for pick in PICKS)]
    table(title, [*header, "seeds"], rows)


if __name__ == "__main__":
    main()
