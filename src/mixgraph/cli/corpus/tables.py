"""Writes a corpus's tables and datasheet anew: songs.parquet, nodes.parquet, edges.parquet and DATASHEET.md, from the
results that are there. `mixgraph corpus build` does so at its end. docs/corpus.md explains the columns."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """The corpus."""
    parser.add_argument("corpus", type=Path, metavar="CORPUS", help="corpus folder")


def run(options: argparse.Namespace) -> None:
    """Writes them."""
    from mixgraph.corpus.folder import Corpus
    from mixgraph.corpus.tables import write_tables

    write_tables(Corpus.open(options.corpus))
