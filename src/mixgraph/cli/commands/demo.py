"""`mixgraph demo`: a search whose answer is known."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mixgraph.cli.codes import OK, STOPPED
from mixgraph.cli.commands.show import lines_of
from mixgraph.cli.compute import add_compute, prepare
from mixgraph.cli.running import run_search, show_summary
from mixgraph.cli.terminal import Terminal, add_voice
from mixgraph.config import make_config
from mixgraph.errors import OutputError

if TYPE_CHECKING:
    from mixgraph.audio.song import Song
    from mixgraph.result.result import Result

DESCRIPTION = """\
Makes a six-second song of four real stems, mixed with someone else's effects whose settings we know, searches its graph
and puts what was found beside what was done. Takes a few minutes on two cores. The song stays beside the result, in
demo-song, as an example of a song folder."""

RESULT = Path("demo-result")
SONG = "demo-song"
CHANGES: dict[str, Any] = {"fit": {"console_steps": 200}, "prune": {"rounds": 3, "fine_tune_steps": 40}}
"""On top of the laptop preset: the song is short."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Where to and how."""
    where = f"result folder to make (default {RESULT})"
    parser.add_argument("-o", "--output", type=Path, metavar="OUT", default=RESULT, help=where)
    parser.add_argument("--resume", action="store_true", help="go on with an unfinished demo")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier demo")
    add_compute(parser)
    add_voice(parser, "JSON lines on stdout: progress, then the result")


def run(options: argparse.Namespace) -> int:
    """Makes the song, searches, compares."""
    from mixgraph.cli.comparison import truth_table
    from mixgraph.demo import true_settings

    terminal = Terminal(quiet=options.quiet, as_json=options.json)
    config = make_config(changes=CHANGES)

    def search_demo(**keywords: Any) -> Result:
        prepare(options)
        from mixgraph.run.api import search

        folder = _write_song(options, config.audio.sample_rate)
        flags = {"device": options.device, "resume": options.resume, "overwrite": options.overwrite}
        return search(folder, config, output=options.output, **flags, **keywords)

    result = run_search(terminal, options, search_demo)
    if result is None:
        return STOPPED
    if terminal.prints:
        terminal.out.print()
        terminal.out.print(truth_table(result.graph, lines_of(result), true_settings()))
    show_summary(terminal, result, options.output)
    return OK


def _write_song(options: argparse.Namespace, sample_rate: int) -> Path:
    """Writes the demo song as a song folder beside the result."""
    from mixgraph.demo import make_demo_song
    from mixgraph.run.workspace import check_output

    check_output(options.output, resume=options.resume, overwrite=options.overwrite)
    folder = options.output.absolute().with_name(SONG)
    if options.resume and (folder / "mix.wav").exists():
        return folder
    if folder.exists() and not options.resume and not options.overwrite:
        raise OutputError(f"{folder}: exists already; choose another place with -o, or replace it with --overwrite")
    _save_song(make_demo_song(sample_rate).song, folder)
    return folder


def _save_song(song: Song, folder: Path) -> None:
    """Sub-folders of `tracks` are subgroups, so the folder needs no song.toml. The mix comes last: it marks the end."""
    from mixgraph.audio.files import write_audio

    home = {track: group for group, members in song.subgroups.items() for track in members}
    try:
        for track in song.tracks:
            place = folder / "tracks" / home.get(track, "")
            place.mkdir(parents=True, exist_ok=True)
            write_audio(place / f"{track}.wav", song.track(track), song.sample_rate)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made ({error.strerror}); choose another place with -o") from None
    write_audio(folder / "mix.wav", song.mix(), song.sample_rate)
