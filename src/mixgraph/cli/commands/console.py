"""Fits the full mixing console to a song and prunes nothing: `search` with no rounds.

For the paper's numbers of the full console use --preset paper --console-steps 12000."""

from __future__ import annotations

import argparse

from mixgraph.cli.commands import search
from mixgraph.cli.commands.search import run as run


def configure(parser: argparse.ArgumentParser) -> None:
    """As `search`, but without the number of rounds."""
    search.configure(parser, rounds=0)
