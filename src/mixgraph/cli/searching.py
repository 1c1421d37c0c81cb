"""A search under the eyes of the user: shows progress, heeds Ctrl-C, says how it went."""

from __future__ import annotations

import argparse
import logging
import math
import shlex
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Column, Table
from rich.text import Text

from mixgraph.cli.compute import add_compute, prepare
from mixgraph.cli.terminal import Terminal, clock, kept_of, left, loss_table, plain_table, print_json, right
from mixgraph.config import SearchConfig
from mixgraph.errors import OutputError
from mixgraph.run.events import Progress, Stopped, Watcher

if TYPE_CHECKING:
    from mixgraph.result.result import Result

SIGNALS = (signal.SIGINT, signal.SIGTERM)
STAGES = {"console": "fitting console", "prune": "pruning", "fine_tune": "fine-tuning", "finish": "finishing"}
SMOOTHING = {"console": 0.9, "fine_tune": 0.9}  # their loss is one random segment's; trials are judged over the song
JSON_SECONDS = 0.5


def add_run(parser: argparse.ArgumentParser, output: Path | None = None) -> None:
    """Adds where to search to, by default to `output`, and how."""
    where = f"result folder to make (default {output})" if output else "result folder to make"
    parser.add_argument("-o", "--output", type=Path, metavar="OUT", default=output, required=not output, help=where)
    parser.add_argument("--resume", action="store_true", help="go on with the unfinished run of OUT, if there is one")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier result or unfinished run at OUT")
    without = "do not write OUT/report.html, a page to see and hear the result"
    parser.add_argument("--no-report", action="store_true", help=without)
    add_compute(parser)
    voice = parser.add_mutually_exclusive_group()
    voice.add_argument("-q", "--quiet", action="store_true", help="print nothing but errors")
    voice.add_argument("--json", action="store_true", help="JSON lines on stdout: progress, then the result")


def run_search(
    options: argparse.Namespace,
    config: SearchConfig,
    song: Callable[[], Path],
    extra: Callable[[Result], RenderableType] | None = None,
) -> None:
    """Searches what `song` gives or makes, prints `extra` and a summary; says how to go on when it raises `Stopped`."""
    terminal = Terminal(logging.ERROR if options.quiet else logging.INFO)
    words = [word for word in options.argv if word not in ("--overwrite", "--resume")]
    go_on = f"`{shlex.join(['mixgraph', *words, '--resume'])}`"
    stop = StopRequest()
    try:
        with watching(terminal.err, quiet=options.quiet, as_json=options.json) as see, stop:

            def watch(progress: Progress) -> None:
                stop.armed = True
                see(progress)

            prepare(options)
            from mixgraph.run.api import search

            how = {name: getattr(options, name) for name in ("output", "device", "resume", "overwrite")}
            result = search(
                song(), config, **how, watch=watch, should_stop=lambda: stop.asked, report=not options.no_report
            )
    except OutputError as error:
        if not stop.armed:
            raise
        raise OutputError(f"{error}; to go on: {go_on}") from error
    except Stopped:
        if not options.quiet:
            terminal.err.print(f"stopped; continue with {go_on}", soft_wrap=True, markup=False)
        raise
    if options.json:
        print_json({"event": "result", "output": str(options.output.absolute())} | result.metrics)
    elif not options.quiet:
        if extra:
            terminal.out.print("", extra(result))
        _print_summary(terminal.out, result.metrics, options.output)


def _print_summary(out: Console, metrics: Mapping[str, Any], output: Path) -> None:
    """Loss before and after in both conventions, processors kept by type, time, and where the result is."""
    types = plain_table(left("processor"), right("kept"), left(""))
    for kind, count in metrics["processors"]["initial"]["by_type"].items():
        kept = metrics["processors"]["kept"]["by_type"].get(kind, 0)
        full = round(10 * kept / count)
        bar = Text.assemble(("━" * full, "green"), ("╌" * (10 - full), "bright_black"))
        types.add_row(kind.replace("_", " "), f"{kept} of {count}", bar)
    facts = Text.assemble((kept_of(metrics), "bold"), f" in {metrics['seconds'] / 60:.1f} min")
    out.print("", loss_table(metrics["loss"]), "", types, "", facts, sep="\n")
    out.print(Text.assemble("result in ", (str(output), "bold")), soft_wrap=True)
    if (output / "report.html").is_file():
        out.print(Text.assemble("to see and hear it, open ", (str(output / "report.html"), "bold")), soft_wrap=True)


class StopRequest:
    """Ctrl-C or `kill` in this context: once `armed` (there is progress to keep) it sets `asked`; twice, it ends us."""

    armed = asked = False

    def __enter__(self) -> Self:
        # Only the main thread may set handlers; elsewhere whoever embeds us decides about signals.
        main = threading.current_thread() is threading.main_thread()
        self._before = {number: signal.signal(number, self._handle) for number in SIGNALS if main}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if not self.armed:
            raise KeyboardInterrupt
        self.asked = True
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)


@contextmanager
def watching(console: Console, *, quiet: bool, as_json: bool) -> Iterator[Watcher]:
    """The watcher that suits the console; a search calls it at every step, often hundreds of times a second."""
    if as_json:
        yield now_and_then(lambda progress: print_json({"event": "progress"} | asdict(progress)), JSON_SECONDS)
    elif quiet:
        yield lambda progress: None
    elif console.is_terminal:
        bar = Bar()
        with Live(bar, console=console, refresh_per_second=8, transient=True):
            yield bar.watch
    else:
        yield now_and_then(lambda progress: console.print(_line(progress), soft_wrap=True))


def now_and_then(write: Watcher, seconds: float = math.inf) -> Watcher:
    """Calls `write` at every change of stage, and in between every so many seconds."""
    seen, last = ("", 0), 0.0

    def watch(progress: Progress) -> None:
        nonlocal seen, last
        now, stage = time.monotonic(), (progress.stage, progress.round)
        if stage != seen or now - last >= seconds:
            seen, last = stage, now
            write(progress)

    return watch


class Bar:
    """One line that is drawn over and over: stage, bar, step, loss, processors, time."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._loading = Spinner("dots", "loading ...")
        self._progress: Progress | None = None
        self._loss = 0.0

    def watch(self, progress: Progress) -> None:
        last = self._progress
        goes_on = last is not None and (last.stage, last.round) == (progress.stage, progress.round)
        share = SMOOTHING.get(progress.stage, 0.0) if goes_on else 0.0
        self._loss = share * self._loss + (1 - share) * progress.loss
        self._progress = progress

    def __rich__(self) -> Table | Spinner:
        progress = self._progress
        if progress is None:
            return self._loading
        step = f"{progress.step}/{progress.steps}" if progress.steps else f"trial {progress.step}"
        rest = "" if progress.seconds_left is None else f" ({clock(progress.seconds_left)} left)"
        spent = clock(time.monotonic() - self._began) + rest
        # Widths for the longest text, so that the bar's end does not tremble.
        line = Table.grid(Column(no_wrap=True), Column(ratio=1), Column(no_wrap=True), padding=(0, 1), expand=True)
        line.add_row(
            f"[bold]{_stage(progress):17}",
            ProgressBar(total=progress.steps or None, completed=progress.step, pulse=not progress.steps),
            f"{step:>9} [cyan]{f'loss {self._loss:.3f}':10}[/] {f'{progress.processors_left} proc.':9} [dim]{spent:17}",
        )
        return line


def _line(progress: Progress) -> str:
    rest = "" if progress.seconds_left is None else f", {clock(progress.seconds_left)} left"
    return f"{_stage(progress)}: {progress.processors_left} processors{rest}"


def _stage(progress: Progress) -> str:
    name = STAGES.get(progress.stage, progress.stage)
    return f"{name} {progress.round}/{progress.rounds}" if progress.stage in ("prune", "fine_tune") else name
