"""What is seen of a search while it runs: a live bar, plain lines, JSON lines, or nothing."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Self, final

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from mixgraph.cli.terminal import Terminal

if TYPE_CHECKING:
    from mixgraph.run.events import Progress

STAGES = {"console": "fitting console", "prune": "pruning", "fine_tune": "fine-tuning", "finish": "finishing"}
SMOOTHED = ("console", "fine_tune")
"""Stages whose loss is one random segment's; trials are judged over the song."""

SMOOTHING = 0.9
JSON_SECONDS = 0.5


class View(ABC):
    """Watches a search. Abstract; `watch` is called at every step, often hundreds of times a second."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    @abstractmethod
    def watch(self, progress: Progress) -> None:
        """Shows where the search stands."""


def make_view(terminal: Terminal) -> View:
    """The view that suits the terminal."""
    if terminal.as_json:
        return JsonView(terminal)
    if terminal.quiet:
        return SilentView()
    return LiveView(terminal.err) if terminal.err.is_terminal else LinesView(terminal.err)


@final
class SilentView(View):
    """Nothing."""

    def watch(self, progress: Progress) -> None:
        pass


@final
class JsonView(View):
    """A JSON line now and then, and at every change of stage."""

    def __init__(self, terminal: Terminal, clock: Callable[[], float] = time.monotonic) -> None:
        self._terminal = terminal
        self._clock = clock
        self._seen = ("", 0)
        self._last = 0.0

    def watch(self, progress: Progress) -> None:
        now, stage = self._clock(), (progress.stage, progress.round)
        if stage != self._seen or now - self._last >= JSON_SECONDS:
            self._seen, self._last = stage, now
            self._terminal.json_line({"event": "progress"} | asdict(progress))


@final
class LinesView(View):
    """A line at every change of stage, for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._seen = ("", 0)

    def watch(self, progress: Progress) -> None:
        if (progress.stage, progress.round) != self._seen:
            self._seen = progress.stage, progress.round
            left = f", {_time(progress.seconds_left)} left" if progress.seconds_left is not None else ""
            self._console.print(f"{_stage(progress)}: {progress.processors_left} processors{left}", soft_wrap=True)


@final
class LiveView(View):
    """One line that is drawn over and over: stage, bar, step, loss, processors, time."""

    def __init__(self, console: Console) -> None:
        self._began = time.monotonic()
        self._spinner = Spinner("dots", "loading ...")
        self._progress: Progress | None = None
        self._loss = 0.0
        self._live = Live(console=console, refresh_per_second=8, transient=True, get_renderable=self._render)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def watch(self, progress: Progress) -> None:
        last = self._progress
        goes_on = last is not None and (last.stage, last.round) == (progress.stage, progress.round)
        share = SMOOTHING if goes_on and progress.stage in SMOOTHED else 0.0
        self._loss = share * self._loss + (1 - share) * progress.loss
        self._progress = progress

    def _render(self) -> Table | Spinner:
        progress = self._progress
        if progress is None:
            return self._spinner
        step = f"{progress.step}/{progress.steps}" if progress.steps else f"trial {progress.step}"
        left = "" if progress.seconds_left is None else f" ({_time(progress.seconds_left)} left)"
        line = Table.grid(padding=(0, 1), expand=True)
        # Widths for the longest text, so that the bar's end does not tremble.
        for width, ratio in ((17, None), (None, 1), (9, None), (10, None), (9, None), (17, None)):
            line.add_column(no_wrap=True, min_width=width, ratio=ratio)
        line.add_row(
            Text(_stage(progress), style="bold"),
            ProgressBar(total=progress.steps or None, completed=progress.step, pulse=not progress.steps),
            Text(step, justify="right"),
            Text(f"loss {self._loss:.3f}", style="cyan"),
            f"{progress.processors_left} proc.",
            Text(_time(time.monotonic() - self._began) + left, style="dim"),
        )
        return line


def _stage(progress: Progress) -> str:
    name = STAGES.get(progress.stage, progress.stage)
    return f"{name} {progress.round}/{progress.rounds}" if progress.stage in ("prune", "fine_tune") else name


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
