"""The fast renderer beside the reference renderer on whole songs: the audio loss that each gives.

    python benchmarks/renderers.py RESULT ... [--json FILE]

RESULT are result folders whose songs are where they were. The loss of each found graph, and of the full console that
its search began with, moved at random from its start, over all evaluation segments. The exit code is 1 where two differ
by 1e-3 or more.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from common import options_of, prepare, save, say, table

TOLERANCE = 1e-3
SPREAD = 0.3
"""Standard deviation of what is added to each parameter of the full console."""


def main() -> None:
    options = options_of(__doc__, _add)
    prepare(options.threads)
    rows, worst = [], 0.0
    for folder in options.results:
        for name, fast, slow, seconds in _both(folder):
            apart = max(abs(fast[name] - slow[name]) for name in fast)
            worst = max(worst, apart)
            row = [folder.name, name, *(f"{found['target']:.6f}" for found in (fast, slow)), f"{apart:.1e}"]
            rows.append([*row, *(f"{one:.1f}" for one in seconds)])
    header = ["result", "graph", "L_a, fast", "L_a, reference", "apart at most", "s, fast", "s, reference"]
    table("Audio loss of whole songs by both renderers", header, rows)
    save(options, rows=rows, worst=worst)
    sys.exit(worst >= TOLERANCE)


def _add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("results", type=Path, nargs="+", metavar="RESULT", help="result folders")


def _both(folder: Path) -> list[tuple[str, dict[str, float], dict[str, float], tuple[float, float]]]:
    """For both graphs: name, losses in both conventions by the fast and by the reference renderer, seconds of each."""
    import torch

    from mixgraph import Result
    from mixgraph.bench import full_console
    from mixgraph.fit.evaluate import evaluate, evaluation_starts
    from mixgraph.fit.problem import Problem
    from mixgraph.render.reference import ReferenceRenderer
    from mixgraph.result.song import load_own_song

    result = Result.load(folder)
    problem = Problem(load_own_song(result, folder), result.config, torch.device("cpu"))
    console, bank = full_console(problem)
    generator = torch.Generator().manual_seed(0)
    for tensor in bank.flatten().values():
        tensor.add_(SPREAD * torch.randn(tensor.shape, generator=generator))
    found, starts = [], evaluation_starts(problem)
    for name, graph, parameters in [("found", result.graph, result.bank), ("full console", console, bank)]:
        say(f"{folder.name}: {name}")
        losses, marks = [], [time.perf_counter()]
        for renderer in (None, ReferenceRenderer(graph, problem.processors, problem.song.tracks)):
            evaluation = evaluate(problem, graph, parameters, starts, renderer=renderer)
            losses.append({"target": evaluation.target.total, "published": evaluation.published.total})
            marks.append(time.perf_counter())
        found.append((name, *losses, (marks[1] - marks[0], marks[2] - marks[1])))
    return found


if __name__ == "__main__":
    main()
