"""Finds how much later the dry tracks must start to lie under the mix, and whether clocks drifted apart. Writes nothing
unless told to; what is hardly better than chance is refused."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Column

from mixgraph.cli.terminal import Terminal, left, plain_table, print_json, right

if TYPE_CHECKING:
    from rich.table import Table

    from mixgraph.audio.alignment import Alignment

ALL = "all tracks"


def configure(parser: argparse.ArgumentParser) -> None:
    """The song and how far to look."""
    parser.add_argument("song", type=Path, metavar="SONG", help="song folder")
    parser.add_argument("--per-track", action="store_true", help="an offset for each track by itself, too")
    parser.add_argument("--write", action="store_true", help="put the offsets into song.toml, unless they are refused")
    parser.add_argument(
        "--max-offset", type=float, default=30.0, metavar="S", help="look so many seconds to both sides (default 30)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> None:
    """Looks, prints what was found, and writes it if asked."""
    from mixgraph.audio.alignment import RATE, TELLING_PPM, aligned, find_alignment, find_track_alignments, settled
    from mixgraph.audio.song import load_layout
    from mixgraph.audio.song_file import FILE_NAME, read_layout
    from mixgraph.audio.song_toml import write_offsets
    from mixgraph.audio.subgroups import init_song, propose_song

    terminal = Terminal(logging.ERROR)
    file = options.song / FILE_NAME
    layout = read_layout(options.song) if file.is_file() else propose_song(options.song).layout
    with load_layout(layout, sample_rate=RATE) as song:
        whole, each = find_alignment(song, max_offset_seconds=options.max_offset), {}
        if options.per_track:
            told = whole.trusted and whole.drift_error_ppm < TELLING_PPM
            drift = whole.drift_ppm if told else None
            each = find_track_alignments(song, max_offset_seconds=options.max_offset, drift_ppm=drift)
    if options.write:
        changed = aligned(layout, settled(whole, each) if each else whole)
        if not file.is_file():
            init_song(options.song)
        write_offsets(file, changed)
    if options.json:
        written = str(file) if options.write else None
        tracks = {name: _json(found) for name, found in each.items()}
        print_json({"name": layout.name, "all": _json(whole), "tracks": tracks, "written": written}, indent=1)
        return
    terminal.out.print(_table({ALL: whole, **each}))
    if options.write:
        terminal.out.print(f"written to {file}", soft_wrap=True, markup=False)


def _table(found: Mapping[str, Alignment]) -> Table:
    remark = Column("remark", overflow="fold", ratio=1)
    table = plain_table(left(""), right("start later by"), right("confidence"), right("drift"), remark)
    for name, alignment in found.items():
        offset = f"{alignment.offset_seconds:+.4f} s" if alignment.trusted else "refused"
        style = ("bold" if name == ALL else "") if alignment.trusted else "dim"
        table.add_row(name, offset, f"{alignment.confidence:.0%}", _drift(alignment), alignment.refusal, style=style)
    return table


def _drift(alignment: Alignment) -> str:
    if not alignment.trusted or alignment.drift_error_ppm >= 100:
        return "unknown"
    if alignment.drifts:
        return f"{alignment.drift_ppm:+.1f} ppm"
    return f"below {max(1.0, 3 * alignment.drift_error_ppm):.0f} ppm"


def _json(alignment: Alignment) -> dict[str, Any]:
    return asdict(alignment) | {"trusted": alignment.trusted}
