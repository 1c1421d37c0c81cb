"""Writes a result as one HTML page: the graph, what it did to each track, how good the match is, and the sound to
judge by. The page needs no network and no other file."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from mixgraph.cli.compute import add_inputs, load_result, load_song_of
from mixgraph.cli.terminal import Terminal
from mixgraph.errors import ConfigError, OutputError

FILE = "report.html"
SMALLEST_MB = 1.0


def configure(parser: argparse.ArgumentParser) -> None:
    """The result, the song, where to, and how much sound."""
    where = f"page to write (default: {FILE} in the result folder)"
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help=where)
    parser.add_argument("--overwrite", action="store_true", help="replace what is at FILE")
    limit = "largest size of the page (default 25); more of it means better sound"
    parser.add_argument("--size-limit", type=float, metavar="MB", default=25.0, help=limit)
    tracks = "carry the dry tracks, so that the page can mute, solo and bypass (default: where they fit)"
    parser.add_argument("--tracks", action=argparse.BooleanOptionalAction, default=True, help=tracks)
    add_inputs(parser)


def run(options: argparse.Namespace) -> None:
    """Gathers and writes."""
    terminal = Terminal(logging.WARNING)
    output = options.output or options.result / FILE
    _check(output, options)
    result, device = load_result(options)
    from mixgraph.report.search_history import read_history
    from mixgraph.report.write import write_report

    history = read_history(options.result)
    with load_song_of(result, options, require_mix=False) as song:
        write_report(
            result,
            song,
            output,
            history=history,
            size_limit_mb=options.size_limit,
            with_tracks=options.tracks,
            device=device,
        )
    terminal.err.print(f"{output}: {output.stat().st_size / 1e6:.1f} MB", soft_wrap=True, markup=False)


def _check(output: Path, options: argparse.Namespace) -> None:
    if not options.size_limit >= SMALLEST_MB:
        raise ConfigError(f"argument --size-limit: {options.size_limit:g}: expected {SMALLEST_MB:g} MB or more")
    if output.suffix.lower() not in (".html", ".htm"):
        raise OutputError(f"{output}: is no name of a page; end it in .html")
    if output.is_dir():
        raise OutputError(f"{output}: is a folder; choose another name with -o")
    if options.result.is_dir() and not output.parent.is_dir():
        raise OutputError(f"{output}: the folder {output.parent} does not exist; create it first")
    if output.exists() and not options.overwrite:
        raise OutputError(f"{output}: exists already; choose another name with -o, or replace it with --overwrite")
