"""Lists the datasets that are known and whether they are there. With the name of one, and its folder unless an
environment variable names it: its songs, their length, sample rates and subgroups, and what is broken or missing."""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from rich.progress import track
from rich.table import Column, Table
from rich.text import Text

from mixgraph.audio.subgroups import read_words
from mixgraph.cli.commands.init import add_groups
from mixgraph.cli.terminal import Terminal, left, plain_table, print_json, right
from mixgraph.datasets.base import DATASETS, Dataset, Entry, open_dataset
from mixgraph.datasets.subsets import EVALUATION, evaluation_songs, select_songs
from mixgraph.datasets.survey import Headers, Survey, examine

NO_MIX = "no mix of the dry tracks, or only their sum: dry sources for mixes with a known graph"
HINT = "`mixgraph datasets NAME --about` says how to get one and how its folders lie."
ABOUT = ("title", "citation", "licence", "url", "how_to_get", "variable")


def configure(parser: argparse.ArgumentParser) -> None:
    """The dataset, its folder, and what to show of it."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="dataset; without it, all are listed")
    parser.add_argument("path", nargs="?", type=Path, metavar="PATH", help="its folder (default: its variable's)")
    parser.add_argument("--about", action="store_true", help="say what NAME is, how its folders lie, how to get it")
    text = f"songs to show: ids, patterns such as 'MusicDelta_*', or '{EVALUATION}', the paper's songs; repeatable"
    parser.add_argument("--only", action="append", default=[], metavar="SONGS", help=text)
    text = "read all audio: silent or clipped tracks, and tracks that are not where the mix has them"
    parser.add_argument("--check", action="store_true", help=text)
    parser.add_argument("--subgroups", action="store_true", help="list the tracks of every subgroup")
    text = "show the subgroups that names and instruments suggest, not those of the dataset"
    parser.add_argument("--guess", action="store_true", help=text)
    add_groups(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> None:
    """Lists datasets, or looks into one."""
    terminal = Terminal(logging.ERROR)  # what loading remarks on every track is not asked for here
    if not options.name:
        known = [_presence(name) for name in DATASETS]
        if options.json:
            print_json(known, indent=1)
        else:
            terminal.out.print(_list_table(known), "", HINT, sep="\n")
        return
    if options.about:
        _about(terminal, options.name, as_json=options.json)
        return
    words = read_words(options.groups) if options.groups else None
    dataset = open_dataset(options.name, options.path)
    songs = select_songs(options.name, dataset.songs, options.only)
    hidden = options.json or not terminal.err.is_terminal
    watched = track(songs, "looking at songs", console=terminal.err, transient=True, disable=hidden)
    look = partial(examine, dataset, words=words, guess=options.guess, check=options.check)
    survey = Survey(options.name, dataset, tuple(map(look, watched)))
    if options.json:
        print_json(survey.to_json(), indent=1)
    else:
        _show(terminal, survey, members=options.subgroups)


def _presence(name: str) -> dict[str, Any]:
    """What is known of a dataset, and how many of its songs are where its variable points."""
    kind = DATASETS[name]
    root = os.environ.get(kind.variable, "")
    there = bool(root) and Path(root).is_dir()
    songs = len(open_dataset(name, root).songs) if there else 0
    facts = {key: getattr(kind, key) for key in (*ABOUT, "has_mix", "tree")}
    return {"name": name, **facts, "root": root, "there": there, "songs": songs}


def _list_table(known: Iterable[dict[str, Any]]) -> Table:
    folders = Column("folder", overflow="fold")
    table = plain_table(left("name"), left("what it is"), left("mix"), folders, right("songs"))
    for dataset in known:
        folder = dataset["root"] or f"set {dataset['variable']}"
        if dataset["root"] and not dataset["there"]:
            folder = f"{folder} (missing: {dataset['variable']})"
        style = "" if dataset["there"] else "dim"
        songs = str(dataset["songs"]) if dataset["there"] else ""
        mix = "yes" if dataset["has_mix"] else "no"
        table.add_row(dataset["name"], dataset["title"], mix, Text(folder, style), songs)
    return table


def _about(terminal: Terminal, name: str, *, as_json: bool) -> None:
    facts = _presence(name)
    if as_json:
        print_json(facts, indent=1)
        return
    table = plain_table(left("dataset"), Column(name))
    for key in ABOUT:
        table.add_row(key.replace("_", " "), Text(facts[key]))
    table.add_row("mix", "real mixes of its dry tracks" if facts["has_mix"] else NO_MIX)
    terminal.out.print(table, "")
    terminal.out.print(Text(facts["tree"]), soft_wrap=True)


def _show(terminal: Terminal, survey: Survey, *, members: bool) -> None:
    out, dataset, totals = terminal.out, survey.dataset, survey.totals()
    hours, rates = totals["hours"], " and ".join(f"{rate / 1000:g}" for rate in totals["sample_rates"])
    length = f"{hours:.1f} hours" if hours >= 1 else f"{60 * hours:.0f} minutes"
    head = f"  {totals['usable']} of {len(dataset.songs)} songs, {length}, {totals['tracks']} tracks"
    out.print(Text.assemble((dataset.title, "bold"), head, f", {rates} kHz" if rates else "", f"\n{dataset.root}"))
    if not dataset.has_mix:
        out.print(NO_MIX, style="dim")
    if not dataset.songs:
        out.print(Text(f"No song was found. They should lie like this:\n{dataset.tree}"), soft_wrap=True)
    elif survey.reports:
        out.print("", _song_table(survey, members=members), sep="\n")
    if missing := survey.missing:
        count = len(evaluation_songs(survey.name))
        out.print(f"\n{len(missing)} of the paper's {count} evaluation songs are missing: {', '.join(missing)}")


def _song_table(survey: Survey, *, members: bool) -> Table:
    song, groups, remarks = Column("song", overflow="fold"), Column("subgroups"), Column("remarks")
    table = plain_table(song, right("min"), right("tracks"), groups, remarks)
    for report in survey.reports:
        if not (entry := report.entry) or not (headers := report.headers):
            table.add_row(Text(report.id, "red"), "", "", "", Text(report.error, "red"))
            continue
        minutes, seconds = divmod(round(headers.seconds), 60)
        notes = [note for note, holds in _notes(survey.dataset, entry, headers).items() if holds]
        lines = [*(Text(line, "yellow") for line in report.problems), *map(Text, (*entry.remarks, *notes))]
        tracks = str(len(entry.layout.tracks))
        table.add_row(report.id, f"{minutes}:{seconds:02}", tracks, _groups(entry, members=members), _lines(lines))
    return table


def _notes(dataset: Dataset, entry: Entry, headers: Headers) -> dict[str, bool]:
    return {
        "no mix": dataset.has_mix and not entry.layout.mix,
        "where its tracks start in the mix is not known": not entry.aligned,
        "packed: decoded when it is needed": not headers.unpacked,
        "its true graph is known": entry.truth is not None,
    }


def _lines(lines: Iterable[Text]) -> Text:
    return Text("\n").join(lines)


def _groups(entry: Entry, *, members: bool) -> Text:
    groups = entry.layout.subgroups.items()
    if members:
        lines = [Text.assemble((group, "magenta"), "  ", ", ".join(tracks)) for group, tracks in groups]
        grouped = {track for _, tracks in groups for track in tracks}
        if alone := [track for track in entry.layout.tracks if track not in grouped]:
            lines.append(Text.assemble(("in no subgroup", "italic dim"), "  ", ", ".join(alone)))
        text = _lines(lines)
    else:
        text = Text(", ".join(f"{group} {len(tracks)}" for group, tracks in groups))
    return Text.assemble(("guessed: ", "italic dim"), text) if entry.grouping == "guessed" else text
