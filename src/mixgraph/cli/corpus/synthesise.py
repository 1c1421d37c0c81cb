"""Mixes dry tracks of a dataset through random graphs, so that the true graph of each song is known. A song is a folder
as `mixgraph search` takes it, with the true graph as a result in its folder `truth`; docs/synthetic.md says what is
drawn. Songs that are there already are kept: the same command goes on where it was stopped, and with more --songs it
adds some."""

from __future__ import annotations

import argparse
import logging
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from mixgraph.cli.building import add_dataset, at_least
from mixgraph.cli.terminal import Terminal, left, plain_table, print_json, right
from mixgraph.errors import SongError

if TYPE_CHECKING:
    from mixgraph.datasets.base import Dataset, Entry

logger = logging.getLogger(__name__)


def configure(parser: argparse.ArgumentParser) -> None:
    """Where from, where to, how many, and of what size."""
    add_dataset(parser)
    parser.add_argument("-o", "--output", type=Path, metavar="SONGS", required=True, help="folder for the songs")
    parser.add_argument("--songs", type=at_least(1), metavar="N", required=True, help="how many songs")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="the same one gives the same songs (default 0)"
    )
    tracks = "tracks of a song (default 4-8)"
    parser.add_argument("--tracks", type=_whole_span, default="4-8", metavar="A-B", help=tracks)
    parser.add_argument("--seconds", type=_span, default="10", metavar="A-B", help="length of a song (default 10)")
    rate = "working rate of the songs, and of searches in them (default 30000)"
    parser.add_argument("--sample-rate", type=at_least(1), default=30_000, metavar="HZ", help=rate)
    parser.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: one per core)")
    parser.add_argument("--json", action="store_true", help="JSON lines on stdout: one per song, as it is written")


def run(options: argparse.Namespace) -> None:
    """Writes the songs, and says how often each processor is in them."""
    from mixgraph.cli.compute import prepare

    prepare(options)
    from mixgraph.config import make_config
    from mixgraph.corpus.create import dataset_at
    from mixgraph.corpus.synthetic.synthesise import Made, Plan, synthesise

    terminal, kept, places = Terminal(logging.WARNING), Counter[str](), Counter[str]()

    def watch(made: Made) -> None:
        count = made.truth.metrics["processors"]
        kept.update(count["kept"]["by_type"])
        places.update(count["initial"]["by_type"])
        if options.json:
            print_json({"song": str(made.folder), "tracks": made.truth.tracks, "processors": count["kept"]})
        else:
            said = f"{made.folder}: {len(made.truth.tracks)} tracks, {count['kept']['total']} processors"
            terminal.err.print(said, markup=False, soft_wrap=True)

    sources = list(_readable(dataset_at(options.dataset, options.path)[1]))
    plan = Plan(
        options.songs,
        options.seed,
        options.tracks,
        options.seconds,
        config=make_config(changes={"audio": {"sample_rate": options.sample_rate}}),
    )
    folders = synthesise(sources, options.output, plan, watch)
    if options.json:
        return
    terminal.out.print(f"{len(folders)} songs in {options.output}", markup=False, soft_wrap=True)
    if kept:
        table = plain_table(left("processor"), right("used"), right("of places"))
        for kind, count in places.items():
            table.add_row(kind.replace("_", " "), str(kept[kind]), f"{kept[kind] / count:.0%}")
        terminal.out.print("", table, sep="\n")


def _readable(dataset: Dataset) -> list[Entry]:
    entries: list[Entry] = []
    for song in dataset.songs:
        try:
            entries.append(dataset.entry(song))
        except SongError as error:
            logger.warning("%s is left out: %s", song, error)
    return entries


def _span(text: str) -> tuple[float, float]:
    """`4-8`, or `4` for no more and no less."""
    low, dash, high = text.partition("-")
    try:
        span = float(low), float(high if dash else low)
    except ValueError:
        span = 0.0, 0.0
    if not 0 < span[0] <= span[1] < 1e5:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number or a range such as 4-8")
    return span


def _whole_span(text: str) -> tuple[int, int]:
    low, high = _span(text)
    if not (low.is_integer() and high.is_integer()):
        raise argparse.ArgumentTypeError(f"{text!r}: expected whole numbers, such as 4-8")
    return int(low), int(high)
