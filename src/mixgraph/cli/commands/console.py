"""`mixgraph console`: a search without pruning."""

from __future__ import annotations

import argparse

from mixgraph.cli.commands import search
from mixgraph.cli.flags import add_settings, settings_of

DESCRIPTION = """\
Fits the full mixing console to a song and prunes nothing: `search` with no rounds.

For the paper's numbers of the full console use --preset paper --console-steps 12000."""


def configure(parser: argparse.ArgumentParser) -> None:
    """As `search`, but without the number of rounds."""
    search.add_arguments(parser)
    add_settings(parser, omit={"rounds"})


def run(options: argparse.Namespace) -> int:
    """Searches with zero rounds."""
    config = settings_of(options)
    return search.start(options, config.model_copy(update={"prune": config.prune.model_copy(update={"rounds": 0})}))
