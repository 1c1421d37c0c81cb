"""Finds the sparse graph of processors that turns the dry tracks of a song into its mix.

Ctrl-C stops after the current step; the same command with --resume goes on from there."""

from __future__ import annotations

import argparse
from pathlib import Path

from mixgraph.cli.flags import add_settings, settings_of
from mixgraph.cli.searching import add_run, run_search


def configure(parser: argparse.ArgumentParser, **fixed: int) -> None:
    """The song, where to, how, and all settings but those that are `fixed`."""
    parser.usage = f"{parser.prog} SONG -o OUT [options] [settings]"
    where = "song folder: mix.wav and tracks/, or what its song.toml says"
    parser.add_argument("song", type=Path, metavar="SONG", help=where)
    add_run(parser)
    add_settings(parser, fixed)


def run(options: argparse.Namespace) -> None:
    """Searches with the settings of the command line."""
    from mixgraph.audio.song_file import read_layout

    config = settings_of(options)
    read_layout(options.song)  # loading torch takes seconds; being told of a wrong path should not
    run_search(options, config, lambda: options.song)
