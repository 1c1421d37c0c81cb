"""`mixgraph init`: a song.toml for a folder of audio files."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.text import Text

from mixgraph.cli.codes import OK
from mixgraph.cli.terminal import Terminal

DESCRIPTION = """\
Writes song.toml into a folder with a mix and dry tracks, and guesses the subgroups from sub-folders or file names.
Edit the file where the guess is wrong."""


def configure(parser: argparse.ArgumentParser) -> None:
    """The folder."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="folder with mix.wav (or .flac ...) and tracks/")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing song.toml")


def run(options: argparse.Namespace) -> int:
    """Writes the file and prints what it says."""
    terminal = Terminal()
    from mixgraph.audio.song_file import read_layout
    from mixgraph.audio.subgroups import init_song

    path = init_song(options.folder, overwrite=options.overwrite)
    layout = read_layout(options.folder)
    print_ = terminal.out.print
    print_(Text.assemble((layout.name, "bold"), f"  {len(layout.tracks)} tracks, mix {layout.mix and layout.mix.name}"))
    grouped = {track for members in layout.subgroups.values() for track in members}
    for group, members in layout.subgroups.items():
        print_(Text.assemble("  ", (group, "bold magenta"), "  ", ", ".join(members)))
    alone = [track for track in layout.tracks if track not in grouped]
    if alone:
        print_(Text.assemble("  ", ("in no subgroup", "italic dim"), "  ", ", ".join(alone)))
    print_(f"written to {path}; edit it where the guess is wrong", soft_wrap=True, markup=False)
    return OK
