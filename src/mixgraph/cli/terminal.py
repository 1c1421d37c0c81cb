"""Where words go: answers to stdout, everything on the way there to stderr."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import warnings
from typing import Any

from rich.console import Console
from rich.markup import escape

STYLES = {logging.WARNING: "yellow", logging.ERROR: "red", logging.CRITICAL: "red"}


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
    """The two streams of one command, and how much it may say."""

    def __init__(self, *, quiet: bool = False, as_json: bool = False, level: int = logging.INFO) -> None:
        self.quiet = quiet
        self.as_json = as_json
        self.out = Console(highlight=False)
        self.err = Console(stderr=True, highlight=False)
        log = logging.getLogger("mixgraph")
        log.handlers = [LogLines(self.err)]
        log.setLevel(logging.ERROR if quiet else level)
        log.propagate = False
        if quiet:
            warnings.simplefilter("ignore")

    @property
    def prints(self) -> bool:
        """Whether people read stdout: neither quiet nor JSON."""
        return not self.quiet and not self.as_json

    def json_line(self, value: dict[str, Any]) -> None:
        """One JSON object on a line of its own, at once. Nobody there to read it is no reason to end a search."""
        try:
            sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
            sys.stdout.flush()
        except BrokenPipeError:
            silence_stdout()

    def json_document(self, value: Any) -> None:
        """One indented JSON document."""
        sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=1) + "\n")


def silence_stdout() -> None:
    """Sends what is still to be written nowhere: Python would complain once more when it closes a broken pipe."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def add_voice(parser: argparse.ArgumentParser, json_help: str) -> None:
    """Adds `--quiet` and `--json`."""
    voice = parser.add_mutually_exclusive_group()
    voice.add_argument("-q", "--quiet", action="store_true", help="print nothing but errors")
    voice.add_argument("--json", action="store_true", help=json_help)
