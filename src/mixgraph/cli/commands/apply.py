"""Uses a found graph on the stems of another song.

Tracks get the chains of found tracks of the same name or instrument; the table that is printed says which, and --map
changes it. OUT is a result like any other: show, render, report and export work on it."""

from __future__ import annotations

import argparse
import logging
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

from mixgraph.cli.compute import add_compute, load_result
from mixgraph.cli.terminal import Terminal, kept_of, left, loss_table, plain_table, print_json, right
from mixgraph.errors import ConfigError, OutputError, ResultError

if TYPE_CHECKING:
    from rich.table import Table

    from mixgraph.presets.apply import Applied
    from mixgraph.presets.mapping import StemMapping
    from mixgraph.result.result import Result

LEVELS = ("keep", "undo", "off")


def configure(parser: argparse.ArgumentParser) -> None:
    """The result, the song, where to, and what to use of it."""
    parser.add_argument("result", type=Path, metavar="RESULT", help="result folder of another song")
    parser.add_argument("song", type=Path, metavar="SONG", help="song folder; it needs no mix")
    parser.add_argument("-o", "--output", type=Path, metavar="OUT", help="result folder to make")
    given = "which chains to use: a TOML file, or OLD=NEW (found track, track of SONG; nothing before =: no chain)"
    parser.add_argument("--map", action="append", default=[], metavar="FILE|OLD=NEW", help=given)
    written = "write the mapping as a TOML file to edit; without -o that is all"
    parser.add_argument("--write-map", type=Path, metavar="FILE", help=written)
    only = "only this track's or subgroup's chain, by its name in SONG; may be repeated"
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help=only)
    level = "loudness of each track: as found; as found but put back behind its chain; untouched (default keep)"
    parser.add_argument("--level", choices=LEVELS, default="keep", help=level)
    parser.add_argument("--overwrite", action="store_true", help="replace what is at OUT, and at FILE of --write-map")
    without = "do not write OUT/report.html, a page to see and hear the result"
    parser.add_argument("--no-report", action="store_true", help=without)
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_compute(parser)


def run(options: argparse.Namespace) -> None:
    """Maps, prints the mapping, and writes what is asked for."""
    from mixgraph.audio.song import load_song
    from mixgraph.audio.song_file import read_layout
    from mixgraph.presets.mapping import Wishes, make_mapping, read_wishes
    from mixgraph.run.workspace import check_output

    terminal = Terminal(logging.WARNING)
    if not (options.output or options.write_map):
        raise ConfigError("nothing to write; give -o OUT for a result, or --write-map FILE for the mapping alone")
    if options.write_map and options.write_map.exists() and not options.overwrite:
        raise OutputError(f"{options.write_map}: exists already; choose another name, or replace it with --overwrite")
    if options.output:
        check_output(options.output, resume=False, overwrite=options.overwrite)
    said = map(read_wishes, options.map)
    wishes = reduce(Wishes.updated, said, Wishes({}))
    layout = read_layout(options.song, require_mix=False)
    result, device = load_result(options)
    mapping = make_mapping(result.graph, list(layout.tracks), layout.subgroups, wishes)
    if options.write_map:
        mapping.write(options.write_map)
    if not options.output:
        _print_mapping(terminal, options, mapping)
        return
    from mixgraph.presets.apply import apply_result, save_applied

    audio = result.config.audio
    how = {"sample_rate": audio.sample_rate, "memory_budget_mb": audio.memory_budget_mb, "require_mix": False}
    if options.level != "off":
        result = _with_loudness(result, options.result)
    with load_song(options.song, **how) as song:
        applied = apply_result(result, song, wishes=wishes, only=options.only, level=options.level, device=device)
        save_applied(applied, song, options.output, overwrite=options.overwrite, report=not options.no_report)
    _print_applied(terminal, options, applied)


def _with_loudness(result: Result, origin: Path) -> Result:
    """The result with the loudness of its tracks, measured anew where its search did not note it."""
    if "track_lufs" in result.provenance:
        return result
    from mixgraph.audio.loudness import track_lufs
    from mixgraph.result.song import load_own_song

    try:
        song = load_own_song(result, origin, require_mix=False)
    except ResultError as error:
        raise ResultError(f"{error}: its tracks' loudness is needed, or give --level off") from None
    with song:
        return replace(result, provenance=result.provenance | {"track_lufs": track_lufs(song, result.tracks)})


def _print_mapping(terminal: Terminal, options: argparse.Namespace, mapping: StemMapping) -> None:
    if options.json:
        print_json(_json(mapping, {}), indent=1)
        return
    terminal.out.print(_table(mapping, {}))
    terminal.out.print(f"mapping in {options.write_map}; edit it, then: --map {options.write_map}", soft_wrap=True)


def _print_applied(terminal: Terminal, options: argparse.Namespace, applied: Applied) -> None:
    metrics = applied.result.metrics
    if options.json:
        said = {"output": str(options.output.absolute()), "metrics": metrics}
        print_json(_json(applied.mapping, applied.gains_db) | said, indent=1)
        return
    losses = metrics["loss"]
    loss = loss_table(losses) if losses else "no loss: the song has no mix to compare with"
    terminal.out.print(_table(applied.mapping, applied.gains_db), "", loss, "", kept_of(metrics), sep="\n")
    terminal.out.print(f"result in {options.output}", soft_wrap=True, markup=False)


def _table(mapping: StemMapping, gains_db: dict[str, float]) -> Table:
    table = plain_table(left("track"), left("chain of"), left("by"), left("subgroup"), right("level"))
    for track, match in mapping.tracks.items():
        gain = f"{gains_db[track]:+.1f} dB" if track in gains_db else ""
        table.add_row(track, match.chain or "none", match.reason, mapping.home(track) or "", gain)
    return table


def _json(mapping: StemMapping, gains_db: dict[str, float]) -> dict[str, object]:
    tracks = {track: {"chain": match.chain, "by": match.reason} for track, match in mapping.tracks.items()}
    return {"tracks": tracks, "subgroups": mapping.subgroups, "gains_db": gains_db}
