"""What the commands of a corpus have in common: its dataset, and where and how songs are searched to the last word."""

from __future__ import annotations

import argparse
import logging
import math
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mixgraph.cli.overview import counted, watching_songs
from mixgraph.cli.searching import StopRequest
from mixgraph.cli.terminal import Terminal, print_json
from mixgraph.errors import ConfigError, MixgraphError
from mixgraph.run.events import Stopped

if TYPE_CHECKING:
    from mixgraph.corpus.engines.base import Engine
    from mixgraph.corpus.folder import Corpus, SongRecord

logger = logging.getLogger(__name__)


def add_dataset(parser: argparse.ArgumentParser) -> None:
    """Adds a dataset, and where it is."""
    what = "name of a dataset (`mixgraph datasets` lists them), or a folder of song folders"
    parser.add_argument("dataset", metavar="DATASET", help=what)
    where = "where it is (default: what its environment variable says)"
    parser.add_argument("path", type=Path, nargs="?", metavar="PATH", help=where)


def add_building(parser: argparse.ArgumentParser) -> None:
    """Adds where songs are searched, and how many at once."""
    again = "begin a song whose process is killed again, up to so often (default 2)"
    parser.add_argument("--attempts", type=at_least(0), default=2, metavar="N", help=again)
    voice = parser.add_mutually_exclusive_group()
    voice.add_argument("-q", "--quiet", action="store_true", help="print nothing but errors")
    voice.add_argument(
        "--json", action="store_true", help="JSON lines on stdout: progress, songs that end, the outcome"
    )

    where = parser.add_argument_group("where songs are searched", "Each has a process of its own.")
    engine = "processes here, or tasks of a Ray cluster (default local)"
    where.add_argument("--engine", choices=("local", "ray"), default="local", help=engine)
    where.add_argument(
        "--jobs", type=at_least(1), metavar="N", help="songs at once (default: what there are cores for)"
    )
    where.add_argument(
        "--threads-per-job", type=at_least(1), default=1, metavar="N", help="CPU threads of each (default 1)"
    )
    device = "where each computes (default auto: CUDA, else CPU)"
    where.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help=device)
    memory = "memory that they may take here (default: 80%% of it); a song that does not fit waits, or runs alone"
    where.add_argument("--memory-mb", type=at_least(0), metavar="N", help=memory)

    ray = parser.add_argument_group("where songs are searched with --engine ray")
    address = "auto: this machine's cluster; local: one that ends with us; HOST:PORT; ray://HOST:PORT (default auto)"
    ray.add_argument("--ray-address", default="auto", metavar="WHERE", help=address)
    ray.add_argument("--gpus-per-job", type=_share, default=0.0, metavar="X", help="such as 0.25 (default 0)")
    stage = "send songs and results through Ray; without, all machines see them at the same paths"
    ray.add_argument("--stage", action="store_true", help=stage)


def at_least(least: int) -> Callable[[str], int]:
    """Reads a whole number of a flag that is not smaller than this."""

    def read(text: str) -> int:
        if not text.isdigit() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r}: expected {least} or more")
        return int(text)

    return read


def run_build(
    options: argparse.Namespace, corpus: Corpus, songs: Sequence[SongRecord], go_on: str, *, again: bool = False
) -> None:
    """Searches songs, shows progress and says how it went; `go_on` is the command that goes on after a stop.

    Raises `MixgraphError` in the end where songs have failed, and `Stopped` after Ctrl-C.
    """
    from mixgraph.corpus.build import build

    terminal = Terminal(logging.ERROR if options.quiet else logging.INFO)
    unaligned = [] if corpus.facts.get("align") else [song.id for song in songs if not song.aligned]
    if unaligned:
        what = f"tracks and mix of {len(unaligned)} songs, such as {unaligned[0]}, may not start together"
        logger.warning("%s; --align finds the offsets", what)
    guessed = [song.id for song in songs if song.guessed]
    if guessed:
        place = shlex.join([corpus.dataset, str(corpus.facts.get("root", ""))])
        what = f"the subgroups of {len(guessed)} songs, such as {guessed[0]}, are guessed"
        logger.warning("%s; `mixgraph datasets %s --subgroups` shows them, --groups teaches words", what, place)
    engine = _engine(options, corpus)  # before we heed signals: Ray takes them for itself when it begins
    stop = StopRequest()
    stop.armed = True
    try:
        with stop, watching_songs(terminal.err, quiet=options.quiet, as_json=options.json) as watch:
            how = {"again": again, "attempts": options.attempts, "watch": watch}
            found = build(corpus, songs, engine, **how, should_stop=lambda: stop.asked)
    except Stopped:
        if not options.quiet:
            terminal.err.print(f"stopped; continue with `{go_on}`", soft_wrap=True, markup=False)
        raise
    if found.counts["done"]:
        _write_tables(corpus)
    if options.json:
        print_json({"event": "corpus", "corpus": str(corpus.folder.absolute())} | found.to_json())
    elif not options.quiet:
        terminal.out.print(counted(found), f" in {corpus.folder}", sep="", soft_wrap=True)
    if found.failed:
        folder = shlex.quote(str(corpus.folder))
        (song, error), *others = found.failed.items()
        more = f"; so did {len(others)} others, see `mixgraph corpus status {folder}`" if others else ""
        raise MixgraphError(f"{song} failed: {error}{more}; `mixgraph corpus retry {folder}` repeats what failed")


def _write_tables(corpus: Corpus) -> None:
    """The corpus' tables and datasheet; without the package for them, the results are no less complete."""
    from mixgraph.corpus.folder import Corpus
    from mixgraph.corpus.tables import write_tables

    try:
        write_tables(Corpus.open(corpus.folder))
    except ConfigError as error:
        logger.warning("the tables and the datasheet are not all written: %s", error)


def _engine(options: argparse.Namespace, corpus: Corpus) -> Engine:
    """The engine that is asked for."""
    from mixgraph.corpus.engines.base import ENGINES, EngineOptions
    from mixgraph.corpus.process import JobOptions

    how = {name: getattr(options, name) for name in ("jobs", "memory_mb", "ray_address", "gpus_per_job", "stage")}
    job = JobOptions(options.threads_per_job, options.device)
    return ENGINES[options.engine](corpus, EngineOptions(job, **how))


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number such as 0.25")
    return value
