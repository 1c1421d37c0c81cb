"""Makes a six-second song of four real stems, mixed with someone else's effects whose settings we know, searches its
graph and puts what was found beside what was done. Takes a few minutes on two cores. The song stays beside the result,
in demo-song, as an example of a song folder."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Column, Table
from rich.text import Text

from mixgraph.audio.files import write_audio
from mixgraph.cli.commands.show import Line, lines_of
from mixgraph.cli.searching import add_run, run_search
from mixgraph.cli.terminal import left, plain_table, right
from mixgraph.config import make_config
from mixgraph.demo import make_demo_song, true_settings
from mixgraph.errors import OutputError
from mixgraph.files import output_error
from mixgraph.graph.node import IN, MIX

if TYPE_CHECKING:
    from mixgraph.result.result import Result

# On top of the laptop preset: the song is short.
CHANGES: dict[str, Any] = {"fit": {"console_steps": 200}, "prune": {"rounds": 3, "fine_tune_steps": 40}}
PRUNED = Text("-", style="dim")


def configure(parser: argparse.ArgumentParser) -> None:
    """Where to and how."""
    add_run(parser, Path("demo-result"))


def run(options: argparse.Namespace) -> None:
    """Makes the song, searches, compares."""
    config = make_config(changes=CHANGES)
    run_search(options, config, lambda: _write_song(options, config.audio.sample_rate), truth_table)


def truth_table(result: Result) -> Table:
    """A row for each processor that was used or found, by track and subgroup."""
    graph, lines, truth = result.graph, lines_of(result), true_settings()
    texts = [Column(name, overflow="fold", ratio=1) for name in ("done", "found")]
    table = plain_table(left("track", style="bold"), left("processor"), *texts, right("wet"))
    found: dict[str, dict[str, Line]] = {node.id: {} for node in graph.order if node.type in (IN, MIX)}
    for node in graph.processors:
        found.setdefault(node.id.rpartition("/")[0], {})[node.type] = lines[node.id]
    for owner, line_of in found.items():
        prefix, _, name = owner.partition(":")
        title, done = (name, truth.get(name, {})) if prefix == "track" else (owner, {})
        for kind in dict.fromkeys([*done, *line_of]):
            line = line_of.get(kind)
            table.add_row(
                title,
                Text(kind.replace("_", " "), style="yellow" if (kind in done) != (kind in line_of) else ""),
                done[kind].replace("_", " ") if kind in done else PRUNED,
                line.summary if line else PRUNED,
                f"{line.dry_wet:.0%}" if line else "",
            )
            title = ""
        table.add_section()
    return table


def _write_song(options: argparse.Namespace, sample_rate: int) -> Path:
    """Writes the song beside the result; sub-folders of `tracks` are subgroups, so the folder needs no song.toml."""
    from mixgraph.run.workspace import check_output

    check_output(options.output, resume=options.resume, overwrite=options.overwrite)
    folder = options.output.absolute().with_name("demo-song")
    mix = folder / "mix.wav"  # written last: it marks the end
    if options.resume and mix.exists():
        return folder
    if folder.exists() and not options.resume and not options.overwrite:
        raise OutputError(f"{folder}: exists already; choose another place with -o, or replace it with --overwrite")
    song = make_demo_song(sample_rate).song
    home = {track: group for group, members in song.subgroups.items() for track in members}
    for track in song.tracks:
        file = folder / "tracks" / home.get(track, "") / f"{track}.wav"
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(file.parent, error) from None
        write_audio(file, song.track(track), sample_rate)
    write_audio(mix, song.mix(), sample_rate)
    return folder
