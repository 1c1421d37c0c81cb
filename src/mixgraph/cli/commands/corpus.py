"""Many songs at once: builds a corpus of mixing graphs from a dataset, and works with what was built. Each command has
its own --help: `mixgraph corpus build --help`."""

from __future__ import annotations

import argparse

from mixgraph.cli.group import add_group
from mixgraph.cli.group import run_group as run

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """One command per module of `mixgraph.cli.corpus`."""
    add_group(parser, "mixgraph.cli.corpus")
