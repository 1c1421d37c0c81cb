"""Measures on this machine what a full console of noise costs: a training step of one segment, and a segment without
gradients, as in the trials of a search. Starts with what a search would use, so settings can be compared: say,
--no-compiled or --preset paper.

The last line of --json has the medians `step_s` and `segment_s`, all `times`, and the process's peak memory: `rss_mb`,
of which it had `before_mb` before the first step."""

from __future__ import annotations

import argparse
import statistics

from mixgraph.cli.compute import add_compute, prepare
from mixgraph.cli.flags import add_settings, settings_of
from mixgraph.cli.terminal import Terminal, left, plain_table, print_json, right


def configure(parser: argparse.ArgumentParser) -> None:
    """The size of the console, how often, how to compute, and all settings."""
    parser.usage = f"{parser.prog} step [--tracks K] [--subgroups S] [options] [settings]"
    parser.add_argument("what", choices=("step",), help="what to measure")
    parser.add_argument("--tracks", type=int, default=16, metavar="K", help="tracks of the console (default 16)")
    parser.add_argument("--subgroups", type=int, default=5, metavar="S", help="subgroups of the console (default 5)")
    parser.add_argument("--repeats", type=int, default=10, metavar="N", help="how often (default 10)")
    parser.add_argument("--warm-up", type=int, default=3, metavar="N", help="how often before that (default 3)")
    kept = "leave the C library's allocator as it is; a search makes it keep its memory"
    parser.add_argument("--no-keep-memory", dest="keep_memory", action="store_false", help=kept)
    planned = "let PyTorch plan every FFT anew; a search keeps the plans of long ones"
    parser.add_argument("--no-keep-plans", dest="keep_plans", action="store_false", help=planned)
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    add_compute(parser)
    # As the published step, whatever the preset.
    add_settings(parser, {"segments_per_step": 1})


def run(options: argparse.Namespace) -> None:
    """Measures and prints."""
    config = settings_of(options)
    prepare(options, keep=options.keep_memory)
    import torch

    from mixgraph.bench import full_console, measure, noise_problem
    from mixgraph.dsp.fft import Plans
    from mixgraph.run.api import choose_device

    Plans.kept = options.keep_plans
    problem = noise_problem(options.tracks, options.subgroups, config, choose_device(options.device))
    cost = measure(problem, *full_console(problem), repeats=options.repeats, warm_up=options.warm_up)
    times = {"step_s": cost.step_s, "segment_s": cost.segment_s}
    if options.json:
        size = {"tracks": options.tracks, "subgroups": options.subgroups, "threads": torch.get_num_threads()}
        memory = {"rss_mb": cost.rss_mb, "before_mb": cost.before_mb}
        medians = {name: statistics.median(values) for name, values in times.items()}
        print_json(size | medians | memory | {"times": times})
        return
    table = plain_table(left("ms"), right("min"), right("median"), right("max"))
    for title, values in (("training step", cost.step_s), ("segment", cost.segment_s)):
        table.add_row(title, *(f"{1_000 * pick(values):.1f}" for pick in (min, statistics.median, max)))
    size = f"{options.tracks} tracks, {options.subgroups} subgroups, {config.audio.segment_seconds:g} s of noise"
    out = Terminal().out
    out.print(f"{size}, {torch.get_num_threads()} threads")
    out.print(table, f"peak memory {cost.rss_mb:.0f} MB, {cost.before_mb:.0f} MB before the first step", sep="\n")
