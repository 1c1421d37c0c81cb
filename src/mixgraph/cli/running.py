"""Runs a search under the eyes of the user: shows progress, heeds Ctrl-C, says how it went."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mixgraph.cli.interrupt import StopRequest
from mixgraph.cli.progress import make_view
from mixgraph.cli.summary import print_summary
from mixgraph.cli.terminal import Terminal
from mixgraph.errors import OutputError

if TYPE_CHECKING:
    from mixgraph.result.result import Result
    from mixgraph.run.events import Progress


def run_search(terminal: Terminal, options: argparse.Namespace, search: Callable[..., Result]) -> Result | None:
    """Calls `search(watch=, should_stop=)`; None if it was stopped, after saying how to go on."""
    with make_view(terminal) as view, StopRequest() as stop:

        def watch(progress: Progress) -> None:
            stop.arm()
            view.watch(progress)

        try:
            return search(watch=watch, should_stop=stop.asked)
        except OutputError as error:
            if not stop.armed:
                raise
            raise OutputError(f"{error}; to go on: `{resume_command(options.argv)}`") from error
        # Only a search that has imported torch can be stopped; naming `Stopped` above would import it for `--help`.
        except Exception as error:
            from mixgraph.run.events import Stopped

            if not isinstance(error, Stopped):
                raise
    if not terminal.quiet:
        terminal.err.print(f"stopped; continue with `{resume_command(options.argv)}`", soft_wrap=True, markup=False)
    return None


def resume_command(argv: list[str]) -> str:
    """The command line that goes on where this one stopped."""
    words = [word for word in argv if word not in ("--overwrite", "--resume")]
    return shlex.join(["mixgraph", *words, "--resume"])


def show_summary(terminal: Terminal, result: Result, output: Path) -> None:
    """The last words of a search, for people or for programs."""
    if terminal.as_json:
        terminal.json_line({"event": "result", "output": str(output.absolute())} | result.metrics)
    elif terminal.prints:
        print_summary(terminal.out, result.metrics, str(output))
