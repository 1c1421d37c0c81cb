"""Where words go, answers to stdout and everything on the way there to stderr, and what tables and times look like."""

from __future__ import annotations

import json
import logging
import os
import sys
import warnings
from collections.abc import Mapping
from functools import partial
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

STYLES = {logging.WARNING: "yellow", logging.ERROR: "red", logging.CRITICAL: "red"}
STAGES = {"plain_sum": "plain sum of the tracks", "console": "full console", "pruned": "after pruning"}
CONVENTIONS = ("target", "published")


class LogLines(logging.Handler):
    """One line per log record, above whatever is live on the console."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.console = console

    def emit(self, record: logging.LogRecord) -> None:
        try:
            level, style = record.levelname.lower(), STYLES.get(record.levelno, "dim")
            message = " ".join(record.getMessage().split())
            self.console.print(f"[{style}]{level}:[/] {escape(message)}", highlight=False, soft_wrap=True)
        except Exception:  # noqa: BLE001 - logging's own contract: a failing handler must not end the program
            self.handleError(record)


class Terminal:
    """The two streams of one command; log records of `level` and above go to stderr, at ERROR not even warnings do."""

    def __init__(self, level: int = logging.INFO) -> None:
        self.out = Console(highlight=False)
        self.err = Console(stderr=True, highlight=False)
        log = logging.getLogger("mixgraph")
        log.handlers = [LogLines(self.err)]
        log.setLevel(level)
        log.propagate = False
        if level >= logging.ERROR:
            warnings.simplefilter("ignore")


def print_json(value: Any, *, indent: int | None = None) -> None:
    """One JSON document on stdout, at once. Nobody there to read it is no reason to end a search."""
    try:
        sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=indent) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        silence_stdout()


def silence_stdout() -> None:
    """Sends what is still to be written nowhere: Python would complain once more when it closes a broken pipe."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


left = partial(Column, no_wrap=True)
right = partial(Column, no_wrap=True, justify="right")


def plain_table(*columns: Column) -> Table:
    """The look of all our tables."""
    return Table(*columns, box=SIMPLE_HEAD, pad_edge=False, header_style="dim", show_edge=False, padding=(0, 2, 0, 0))


def loss_table(losses: Mapping[str, Any]) -> Table:
    """The loss after each stage, in both conventions of spectral convergence."""
    table = plain_table(left("loss"), right("ours"), right("published"))
    for name, title in STAGES.items():
        if name in losses:
            values = [f"{losses[name][convention]:.3f}" for convention in CONVENTIONS]
            table.add_row(title, *values, style="bold" if name == "pruned" else "")
    return table


def kept_of(metrics: Mapping[str, Any]) -> str:
    """Such as `14 of 42 processors kept (67% pruned)`."""
    kept, initial = (metrics["processors"][when]["total"] for when in ("kept", "initial"))
    return f"{kept} of {initial} processors kept ({metrics['pruning_ratio']['total']:.0%} pruned)"


def clock(seconds: float) -> str:
    """Hours, minutes and seconds as clocks show them."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
