"""Writes song.toml into a folder with a mix and dry tracks, and guesses the subgroups from sub-folders or file names.
Edit the file where the guess is wrong."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.text import Text

from mixgraph.audio.song_file import read_layout
from mixgraph.audio.subgroups import init_song
from mixgraph.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """The folder."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="folder with mix.wav (or .flac ...) and tracks/")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing song.toml")


def run(options: argparse.Namespace) -> None:
    """Writes the file and prints what it says."""
    out = Terminal().out
    path = init_song(options.folder, overwrite=options.overwrite)
    layout = read_layout(options.folder)
    counts = f"  {len(layout.tracks)} tracks, mix {layout.mix and layout.mix.name}"
    out.print(Text.assemble((layout.name, "bold"), counts))
    for group, members in layout.subgroups.items():
        out.print(Text.assemble("  ", (group, "bold magenta"), "  ", ", ".join(members)))
    alone = [track for track in layout.tracks if not any(track in members for members in layout.subgroups.values())]
    if alone:
        out.print(Text.assemble("  ", ("in no subgroup", "italic dim"), "  ", ", ".join(alone)))
    out.print(f"written to {path}; edit it where the guess is wrong", soft_wrap=True, markup=False)
