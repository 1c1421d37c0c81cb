"""A training step, a segment and peak memory, ours beside GRAFX 0.6.0, each engine in a process of its own, by turns.

    python benchmarks/steps.py [--sizes 4/2 8/3 16/5 32/8] [--repeats 3] [--rounds 3] [--waterfall] [--device cuda]
        [--json FILE]

Both engines run with the C library's allocator as it is and with settings that make it keep its memory, as the command
line of mixgraph does. The process's peak counts everything in it, Python and torch too. `--waterfall` measures ours
with each pass alone as well, `--large` the memory of a very large console.
"""

from __future__ import annotations

import argparse
import statistics
from collections import defaultdict
from typing import Any

from common import in_own_process, options_of, save, say, spread, table

OURS, OURS_STOCK = "ours", "ours, stock allocator"
GRAFX, GRAFX_KEPT = "GRAFX", "GRAFX, memory kept"
ENGINES = {
    OURS: ["-m", "mixgraph", "bench", "step", "--json"],
    OURS_STOCK: ["-m", "mixgraph", "bench", "step", "--json", "--no-keep-memory"],
    GRAFX: ["benchmarks/grafx_engine.py"],
    GRAFX_KEPT: ["benchmarks/grafx_engine.py", "--keep-memory"],
}
NEITHER = ["--no-compiled", "--no-fuse-linear", "--no-keep-plans"]
PASSES = {
    "none": NEITHER,
    "compiled only": NEITHER[1:],
    "fuse_linear only": [NEITHER[0], NEITHER[2]],
    "kept plans only": NEITHER[:2],
    "compiled and fuse_linear": NEITHER[2:],
    "all (default)": [],
}
TASKS = {"training step": "step_s", "segment": "segment_s"}
Found = dict[str, dict[str, list[float]]]


def main() -> None:
    options = options_of(__doc__, _add)
    sizes = [tuple(map(int, size.split("/"))) for size in options.sizes]
    found: dict[str, Any] = {}
    for size in sizes:
        found["{}/{}".format(*size)] = _by_turns(ENGINES, size, options)
    if found:
        _print_sizes(found)
    saved: dict[str, Any] = {"sizes": found}
    if options.waterfall:
        size = tuple(map(int, options.waterfall_size.split("/")))
        runs = {name: [*ENGINES[OURS], *flags] for name, flags in PASSES.items()}
        saved["waterfall"] = {options.waterfall_size: (steps := _by_turns(runs, size, options))}
        _print_waterfall(options.waterfall_size, steps)
    if options.large:
        size = tuple(map(int, options.large.split("/")))
        saved["large"] = {options.large: (large := _by_turns({OURS: ENGINES[OURS]}, size, options, rounds=1)[OURS])}
        rows = [[options.large, *spread(large["step_s"]), f"{max(large['rss_mb']) / 1_000:.2f}"]]
        header = ["tracks/subgroups", "min ms", "median ms", "max ms", "peak GB"]
        table("Ours, a very large console", header, rows)
    save(options, **saved)


def _add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sizes", nargs="*", default=["4/2", "8/3", "16/5", "32/8"], metavar="K/S")
    parser.add_argument("--repeats", type=int, default=3, help="steps and segments in each process")
    parser.add_argument("--warm-up", type=int, default=2, help="steps and segments before them")
    parser.add_argument("--rounds", type=int, default=3, help="processes of each engine, by turns")
    parser.add_argument("--waterfall", action="store_true", help="ours with each pass alone too")
    parser.add_argument("--waterfall-size", default="16/5", metavar="K/S")
    parser.add_argument("--device", default="cpu", help="such as cuda, for both engines")
    parser.add_argument("--large", default="", metavar="K/S", help="ours alone at this size too, such as 100/20")


def _by_turns(
    runs: dict[str, list[str]], size: tuple[int, ...], options: argparse.Namespace, rounds: int | None = None
) -> Found:
    """Times of all processes of each run, and the peak memory of each process."""
    found: Found = {name: defaultdict(list) for name in runs}
    flags = {"tracks": size[0], "subgroups": size[1], "repeats": options.repeats, "warm-up": options.warm_up}
    flags |= {"threads": options.threads, "device": options.device}
    words = [word for name, value in flags.items() for word in (f"--{name}", f"{value}")]
    for _ in range(rounds or options.rounds):
        for name, command in runs.items():
            say(f"{size[0]}/{size[1]}: {name}")
            # The command's own first words come first: `mixgraph bench step`.
            measured = in_own_process(*command, *words)
            for task, times in measured["times"].items():
                found[name][task] += times
            found[name]["rss_mb"].append(measured["rss_mb"])
            found[name]["grown_mb"].append(measured["rss_mb"] - measured["before_mb"])
    return found


def _print_sizes(found: dict[str, Found]) -> None:
    header = ["tracks/subgroups", "engine", "min ms", "median ms", "max ms", "times ours"]
    for title, task in TASKS.items():
        rows = [
            [size, engine, *spread(values[task]), f"{_ratio(values[task], engines[OURS][task]):.1f}"]
            for size, engines in found.items()
            for engine, values in engines.items()
        ]
        table(title.capitalize(), header, rows)
    header = ["tracks/subgroups", "engine", "min MB", "median MB", "max MB", "of it by the steps", "times ours"]
    rows = [
        [
            size,
            engine,
            *spread(values["rss_mb"], 1),
            f"{max(values['grown_mb']):.0f}",
            f"{_ratio(values['rss_mb'], engines[OURS]['rss_mb']):.2f}",
        ]
        for size, engines in found.items()
        for engine, values in engines.items()
    ]
    table("Peak memory of the step's process", header, rows)
    pairs = {
        "GRAFX as shipped, ours as run": (GRAFX, OURS),
        "both keep memory": (GRAFX_KEPT, OURS),
        "both with the stock allocator": (GRAFX, OURS_STOCK),
    }
    columns = {"step": "step_s", "segment": "segment_s", "memory": "rss_mb", "memory of the steps": "grown_mb"}
    rows = [
        [size, name, *(f"{_ratio(engines[theirs][key], engines[ours][key]):.1f}" for key in columns.values())]
        for size, engines in found.items()
        for name, (theirs, ours) in pairs.items()
    ]
    table("GRAFX over ours, medians", ["tracks/subgroups", "", *columns], rows)


def _print_waterfall(size: str, steps: Found) -> None:
    before = steps[next(iter(steps))]
    rows = [
        [
            name,
            title,
            *spread(values[task]),
            f"{_ratio(before[task], values[task]):.2f}",
            f"{max(values['rss_mb']):.0f}",
        ]
        for title, task in TASKS.items()
        for name, values in steps.items()
    ]
    table(
        f"What each pass gives, {size}",
        ["passes", "task", "min ms", "median ms", "max ms", "times faster", "peak MB"],
        rows,
    )


def _ratio(theirs: list[float], ours: list[float]) -> float:
    return statistics.median(theirs) / statistics.median(ours)


if __name__ == "__main__":
    main()
