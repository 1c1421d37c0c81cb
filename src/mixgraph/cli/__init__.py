"""The command line."""

from mixgraph.cli.entry import main

__all__ = ["main"]
