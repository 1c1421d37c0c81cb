"""Writes song.toml into a folder with a mix and dry tracks, and guesses the subgroups from sub-folders or file names.
Edit the file where the guess is wrong."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.text import Text

from mixgraph.audio.song_file import read_layout
from mixgraph.audio.subgroups import init_song, propose_song, read_words
from mixgraph.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """The folder."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="folder with mix.wav (or .flac ...) and tracks/")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing song.toml")
    parser.add_argument("--dry-run", action="store_true", help="show what would be written, and write nothing")
    add_groups(parser)


def add_groups(parser: argparse.ArgumentParser) -> None:
    """Adds the file of words that guesses of subgroups go by before our own."""
    text = 'TOML file of further words for guessing subgroups, such as: drums = ["boombap"]'
    parser.add_argument("--groups", type=Path, metavar="FILE", help=text)


def run(options: argparse.Namespace) -> None:
    """Prints what song.toml says, and writes it."""
    out = Terminal().out
    words = read_words(options.groups) if options.groups else None
    if options.dry_run:
        layout, done = propose_song(options.folder, words).layout, "nothing was written"
    else:
        path = init_song(options.folder, overwrite=options.overwrite, words=words)
        layout, done = read_layout(options.folder), f"written to {path}; edit it where the guess is wrong"
    counts = f"  {len(layout.tracks)} tracks, mix {layout.mix and layout.mix.name}"
    out.print(Text.assemble((layout.name, "bold"), counts))
    for group, members in layout.subgroups.items():
        out.print(Text.assemble("  ", (group, "bold magenta"), "  ", ", ".join(members)))
    alone = [track for track in layout.tracks if not any(track in members for members in layout.subgroups.values())]
    if alone:
        out.print(Text.assemble("  ", ("in no subgroup", "italic dim"), "  ", ", ".join(alone)))
    out.print(done, soft_wrap=True, markup=False)
