"""Shows a corpus in numbers: songs, hours, splits, licences, losses, pruning ratios per type, seconds and failures."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from rich.text import Text

from mixgraph.cli.terminal import Terminal, left, loss_table, plain_table, print_json, right


def configure(parser: argparse.ArgumentParser) -> None:
    """The corpus, and how to show it."""
    parser.add_argument("corpus", type=Path, metavar="CORPUS", help="corpus folder")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> None:
    """Prints the numbers."""
    from mixgraph.corpus.folder import Corpus
    from mixgraph.corpus.tables.stats import corpus_stats

    stats = corpus_stats(Corpus.open(options.corpus))
    if options.json:
        print_json(stats, indent=1)
        return
    out, songs = Terminal().out, stats["songs"]
    counts = ", ".join(f"{count} {status}" for status, count in songs.items() if count and status != "total")
    searched = f"searched in {stats['search_s']['total'] / 3600:.2f} hours"
    say = partial(out.print, markup=False, soft_wrap=True)
    say(f"{stats['corpus']}, from {stats['dataset']}: {songs['total']} songs ({counts})")
    say(f"{stats['hours']:.2f} hours, {stats['tracks']} tracks; {searched}")
    if songs["done"]:
        splits = plain_table(left("split"), right("songs"), right("artists"))
        for split, count in stats["splits"].items():
            splits.add_row(split, str(count["songs"]), str(count["artists"]))
        licences = plain_table(left("licence"), right("songs"))
        for licence, count in stats["licences"].items():
            licences.add_row(Text(licence or "not stated"), str(count))
        ratios = plain_table(left("pruned"), right("mean over songs"))
        for kind, ratio in {**stats["pruning_ratio"]["by_type"], "all": stats["pruning_ratio"]["total"]}.items():
            ratios.add_row(kind.replace("_", " "), "" if ratio is None else f"{ratio:.0%}")
        out.print("", splits, "", licences, "", loss_table(stats["loss"]), "", ratios, sep="\n")
    for song, error in stats["failures"].items():
        say(f"failed: {song}: {error}")
