"""The paper's Figure 4 (arXiv 2406.01049), for several scores: what each processor's removal costs, beside its score.

    python benchmarks/importance.py [SONG ...] [--console-steps 150] [--probe 3] [--csv FILE]

For each song (default: hydrogen): a console fit of the default preset's kind, then the exact rise of the loss over all
evaluation segments when each processor alone is removed. Scores: the dry/wet weight (the paper's), the Fisher score,
and with `--probe N` the rise on N segments. Prints rank correlations, overall and by type, what the lowest 30 % of
each score cost when they are removed together, and what each took to compute. `mixgraph paper figures` draws it.
"""

from __future__ import annotations

import argparse
import csv
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import rankdata

from common import SONGS, fit, open_song, options_of, prepare, save, say, table

RISE = "loss rise"
LOWEST = 0.3


def main() -> None:
    options = options_of(__doc__, _add)
    prepare(options.threads)
    found: dict[str, dict[str, Any]] = {}
    for folder in options.songs:
        song = open_song(folder)
        found[song.name] = _study(song, options)
        _print_song(song.name, found[song.name])
    rows = [{"song": name, **row} for name, study in found.items() for row in study["processors"]]
    if options.csv:
        with options.csv.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    save(options, songs=found)


def _add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("songs", type=Path, nargs="*", default=[SONGS / "hydrogen"], metavar="SONG")
    parser.add_argument("--console-steps", type=int, default=150)
    parser.add_argument("--probe", type=int, default=0, metavar="N", help="segments of the probe; 0: none")
    parser.add_argument("--max-processors", type=int, default=0, metavar="N", help="try so many only; 0: all")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="a row for each processor")


def _study(song: Any, options: argparse.Namespace) -> dict[str, Any]:
    """Rise and scores of each processor, seconds, and the rise without the lowest of each score."""
    import torch

    from mixgraph.bench import full_console
    from mixgraph.config import make_config
    from mixgraph.fit.evaluate import evaluation_starts
    from mixgraph.fit.importance import fisher_scores
    from mixgraph.fit.problem import Problem
    from mixgraph.fit.trials import Trials

    problem = Problem(song, make_config(), torch.device("cpu"))
    graph, bank = full_console(problem)
    nodes = graph.processors[: options.max_processors or None]
    say(f"{song.name}: {options.console_steps} steps")
    fit(problem, graph, bank, options.console_steps)
    starts, seconds = evaluation_starts(problem), {}
    memory_mb = problem.config.prune.trial_memory_mb

    def clocked(name: str, work: Callable[[], dict[str, float]]) -> dict[str, float]:
        say(f"{song.name}: {name}")
        began = time.perf_counter()
        found = work()
        seconds[name] = time.perf_counter() - began
        return found

    scores = {"dry/wet": bank.dry_wet()}
    scores["fisher"] = clocked("fisher", lambda: fisher_scores(problem, graph, bank, starts))
    if options.probe:
        # On its own: what it computes must not make the exact trials look cheap, nor they it.
        fresh = Trials(problem, graph, bank, starts, memory_mb=memory_mb)
        scores[f"probe of {options.probe}"] = clocked("probe", lambda: fresh.probe(options.probe))
        del fresh
    trials = Trials(problem, graph, bank, starts, memory_mb=memory_mb)
    base = trials.first()

    def rise(removed: frozenset[str]) -> float:
        return trials.loss_with(removed, masked=frozenset(), loss=base, limit=math.inf) - base

    rises = clocked("exact trials", lambda: {node.id: rise(frozenset([node.id])) for node in nodes})
    count = max(1, round(LOWEST * len(nodes)))
    lowest = {
        name: rise(frozenset(sorted(rises, key=values.__getitem__)[:count]))
        for name, values in (scores | {RISE: rises}).items()
    }
    rows = [
        {"node": node.id, "type": node.type, RISE: rises[node.id]} | {name: of[node.id] for name, of in scores.items()}
        for node in nodes
    ]
    ranks = _ranks(rows, list(scores))
    return {"loss": base, "processors": rows, "spearman": ranks, "lowest": lowest, "count": count, "seconds": seconds}


def _ranks(rows: list[dict[str, Any]], scores: list[str]) -> dict[str, dict[str, float | None]]:
    """Spearman's correlation of each score with the rise, overall and by type; None where there is nothing to rank."""
    ranks: dict[str, dict[str, float | None]] = {}
    for kind in ("all", *dict.fromkeys(row["type"] for row in rows)):
        some = [row for row in rows if kind in ("all", row["type"])]
        places = {name: rankdata([row[name] for row in some]) for name in (*scores, RISE)}
        ranks[kind] = {
            score: float(np.corrcoef(places[score], places[RISE])[0, 1])
            if len(some) > 2 and np.ptp(places[score]) and np.ptp(places[RISE])
            else None
            for score in scores
        }
    return ranks


def _print_song(name: str, study: dict[str, Any]) -> None:
    scores = list(study["spearman"]["all"])
    rows = [
        [kind, sum(kind in ("all", row["type"]) for row in study["processors"])]
        + ["-" if values[score] is None else f"{values[score]:.2f}" for score in scores]
        for kind, values in study["spearman"].items()
    ]
    table(
        f"{name}: rank correlation with the loss rise (loss {study['loss']:.4f})", ["type", "processors", *scores], rows
    )
    rows = [[score, f"{value:+.4f}"] for score, value in study["lowest"].items()]
    table(f"{name}: the {study['count']} lowest, removed together", ["by", "loss rise"], rows)
    table(f"{name}: seconds", ["what", "s"], [[what, f"{value:.1f}"] for what, value in study["seconds"].items()])


if __name__ == "__main__":
    main()
