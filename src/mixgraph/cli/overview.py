"""How far a corpus is, as people and programs like to be told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Column, Table
from rich.text import Text

from mixgraph.cli.searching import STAGES
from mixgraph.cli.terminal import clock, left, plain_table, print_json, right

if TYPE_CHECKING:
    from mixgraph.corpus.folder import State
    from mixgraph.corpus.status import Overview

JSON_SECONDS = 5.0
SHOWN = 16
"""How many running songs are listed."""
STYLES = {"failed": "red", "running": "cyan", "waiting": "dim"}
Watch = Callable[["Overview"], None]


@contextmanager
def watching_songs(console: Console, *, quiet: bool, as_json: bool) -> Iterator[Watch]:
    """What suits the console: a live view, a line per song that ended, JSON lines, or nothing."""
    if quiet:
        yield lambda overview: None
    elif as_json:
        yield _json_lines()
    elif console.is_terminal:
        with Live(console=console, refresh_per_second=4, transient=True) as live:
            yield lambda overview: live.update(view(overview))
    else:
        yield _lines(console)


def view(overview: Overview) -> RenderableType:
    """A bar of songs, and a line for each that runs."""
    over, songs = overview.counts["done"] + overview.counts["failed"], len(overview.states)
    line = Table.grid(Column(no_wrap=True), Column(ratio=1), Column(no_wrap=True), padding=(0, 1), expand=True)
    line.add_row(Text(f"{over}/{songs}", "bold"), ProgressBar(songs, over), counted(overview))
    table = plain_table(left("song"), left("stage"), right("left"))
    table.show_header = False
    running = list(overview.running.items())
    for song, state in running[:SHOWN]:
        stage, _, number = state.stage.partition(" ")
        rest = "" if state.seconds_left is None else f"{clock(state.seconds_left)} left"
        table.add_row(song, f"{STAGES.get(stage, stage)} {number}", Text(rest, "dim"))
    more = [Text(f"and {len(running) - SHOWN} more", "dim")] if len(running) > SHOWN else []
    return Group(line, table, *more) if running else line


def counted(overview: Overview) -> Text:
    """Such as `22 done, 1 failed, 1 running, 3:05 left`."""
    counts = overview.counts
    others = [(f", {counts[status]} {status}", style) for status, style in STYLES.items() if counts[status]]
    seconds = overview.seconds_left
    rest = "" if seconds is None or not counts["running"] else f", about {clock(seconds)} left"
    return Text.assemble((f"{counts['done']} done", "green"), *others, (rest, "dim"))


def _lines(console: Console) -> Watch:
    news = _News()

    def watch(overview: Overview) -> None:
        for song, state in news.of(overview).items():
            how = f"done in {clock(state.ended - state.began)}" if state.status == "done" else f"failed: {state.error}"
            console.print(Text.assemble(f"{song}: {how} (", counted(overview), ")"), soft_wrap=True)

    return watch


def _json_lines() -> Watch:
    news, last = _News(), 0.0

    def watch(overview: Overview) -> None:
        nonlocal last
        for song, state in news.of(overview).items():
            print_json({"event": "song", "song": song} | asdict(state))
        if time.monotonic() - last > JSON_SECONDS:
            last = time.monotonic()
            print_json({"event": "progress"} | overview.to_json())

    return watch


class _News:
    """The songs that are done or failed since the overview before; none in the first."""

    def __init__(self) -> None:
        self._before: Mapping[str, State] | None = None

    def of(self, overview: Overview) -> dict[str, State]:
        """Song and state, in the order in which they ended."""
        before, self._before = self._before or overview.states, overview.states
        over = {song: state for song, state in overview.states.items() if state.status in ("done", "failed")}
        new = {song: state for song, state in over.items() if before[song].status != state.status}
        return dict(sorted(new.items(), key=lambda item: item[1].ended))
