"""Shows how far a corpus is: songs done, running, failed and why, and the time left.

Reads what the searches write, so it works from any machine that sees the folder, while they run or after."""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict
from pathlib import Path

from rich.live import Live
from rich.text import Text

from mixgraph.cli.overview import view
from mixgraph.cli.terminal import Terminal, left, plain_table, print_json

WATCH_SECONDS = 2.0


def configure(parser: argparse.ArgumentParser) -> None:
    """The corpus, and how to show it."""
    parser.add_argument("corpus", type=Path, metavar="CORPUS", help="corpus folder")
    parser.add_argument("--watch", action="store_true", help="keep showing until no song runs any more")
    parser.add_argument("--json", action="store_true", help="print JSON, with the state of every song")


def run(options: argparse.Namespace) -> None:
    """Prints counts and failures, or the state of every song."""
    from mixgraph.corpus.folder import Corpus
    from mixgraph.corpus.status import overview

    terminal, corpus = Terminal(), Corpus.open(options.corpus)
    found = overview(corpus, corpus.songs)
    if options.watch:
        with Live(console=terminal.err, refresh_per_second=4, transient=True) as live:
            while found.running:
                live.update(view(found))
                time.sleep(WATCH_SECONDS)
                found = overview(corpus, corpus.songs)
    if options.json:
        states = {song: asdict(state) for song, state in found.states.items()}
        print_json({"corpus": str(corpus.folder.absolute())} | found.to_json() | {"states": states}, indent=1)
        return
    terminal.out.print(view(found))
    if found.failed:
        table = plain_table(left("failed", style="bold"), left("at"), left("because", no_wrap=False, overflow="fold"))
        for song, error in found.failed.items():
            table.add_row(song, found.states[song].stage, Text(error))
        terminal.out.print("", table)
