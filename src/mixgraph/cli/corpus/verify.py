"""Checks that a corpus is what it says: every file is read, every input hashed, tables are compared with results, and a
sample of songs is rendered again and its loss compared with the stored. One line per fault, and exit code 2 if any."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from mixgraph.cli.building import at_least
from mixgraph.cli.compute import add_compute, prepare
from mixgraph.cli.terminal import Terminal
from mixgraph.errors import ResultError


def configure(parser: argparse.ArgumentParser) -> None:
    """The corpus, the sample, and how to compute."""
    parser.add_argument("corpus", type=Path, metavar="CORPUS", help="corpus folder")
    sample = "songs to render again, drawn at random; 0: none (default: 3)"
    parser.add_argument("--sample", type=at_least(0), default=3, metavar="N", help=sample)
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="which songs are drawn (default: 0)")
    add_compute(parser)


def run(options: argparse.Namespace) -> None:
    """Prints the faults as they are found; raises `ResultError` if there are any."""
    terminal, faults = Terminal(logging.ERROR), 0
    prepare(options)
    from mixgraph.corpus.folder import Corpus
    from mixgraph.corpus.verify import verify
    from mixgraph.run.api import choose_device

    corpus = Corpus.open(options.corpus)
    for fault in verify(corpus, sample=options.sample, seed=options.seed, device=choose_device(options.device)):
        faults += 1
        terminal.out.print(fault, markup=False, soft_wrap=True)
    if faults:
        raise ResultError(f"{options.corpus}: {faults} fault{'s' if faults > 1 else ''}; each line above says its cure")
