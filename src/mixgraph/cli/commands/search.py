"""`mixgraph search`: a song folder in, a result folder out."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mixgraph.cli.codes import OK, STOPPED
from mixgraph.cli.compute import add_compute, prepare
from mixgraph.cli.flags import add_settings, settings_of
from mixgraph.cli.running import run_search, show_summary
from mixgraph.cli.terminal import Terminal, add_voice
from mixgraph.config import SearchConfig

if TYPE_CHECKING:
    from mixgraph.result.result import Result

DESCRIPTION = """\
Finds the sparse graph of processors that turns the dry tracks of a song into its mix.

Ctrl-C stops after the current step; the same command with --resume goes on from there."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments and all settings."""
    add_arguments(parser)
    add_settings(parser)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `search` and `console` share besides settings."""
    parser.usage = f"{parser.prog} SONG -o OUT [options] [settings]"
    where = "song folder: mix.wav and tracks/, or what its song.toml says"
    parser.add_argument("song", type=Path, metavar="SONG", help=where)
    parser.add_argument("-o", "--output", type=Path, metavar="OUT", required=True, help="result folder to make")
    parser.add_argument("--resume", action="store_true", help="go on with the unfinished run of OUT, if there is one")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier result or unfinished run at OUT")
    add_compute(parser)
    add_voice(parser, "JSON lines on stdout: progress, then the result")


def run(options: argparse.Namespace) -> int:
    """Searches with the settings as they stand."""
    return start(options, settings_of(options))


def start(options: argparse.Namespace, config: SearchConfig) -> int:
    """Searches with the settings given."""
    from mixgraph.audio.song_file import read_layout

    # Loading torch takes seconds; being told of a wrong path should not.
    read_layout(options.song)

    def search_song(**keywords: Any) -> Result:
        prepare(options)
        from mixgraph.run.api import search

        return search(
            options.song,
            config,
            output=options.output,
            device=options.device,
            resume=options.resume,
            overwrite=options.overwrite,
            **keywords,
        )

    terminal = Terminal(quiet=options.quiet, as_json=options.json)
    result = run_search(terminal, options, search_song)
    if result is None:
        return STOPPED
    show_summary(terminal, result, options.output)
    return OK
