"""One search in a process of its own: `python -m mixgraph.app.worker`.

The first line of stdin is the job; each line of stdout is one JSON object: `console` (the full console), `progress`,
and at the end `error` or nothing. When stdin ends, the search writes a checkpoint and stops: whatever becomes of the
server, even a kill, no search is left running. Everything else that is said goes to stderr.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from mixgraph.errors import MixgraphError
from mixgraph.run.events import Progress, Stopped

DONE, FAILED, STOPPED = 0, 2, 130


class Wire:
    """The line to the server: what is told, and whether to stop."""

    def __init__(self, incoming: IO[str], outgoing: IO[str]) -> None:
        self.incoming, self.outgoing = incoming, outgoing
        self.stopping, self.armed = threading.Event(), False

    def listen(self) -> None:
        """Waits in a thread for the end of the server's words."""
        threading.Thread(target=self._wait_for_end, daemon=True).start()

    def tell(self, event: str, **facts: Any) -> None:
        """Sends one line. Nobody there to hear it is no reason to lose a search: it stops in good order."""
        try:
            self.outgoing.write(json.dumps({"event": event} | facts) + "\n")
            self.outgoing.flush()
        except OSError:
            self.stopping.set()

    def watch(self, progress: Progress) -> None:
        """Tells how far the search is; from now on there is something to keep."""
        self.armed = True
        self.tell("progress", **asdict(progress))

    def _wait_for_end(self) -> None:
        while self.incoming.readline():
            pass
        self.stopping.set()
        # Before the first step there is nothing to keep, and loading a long song takes long.
        if not self.armed:
            os._exit(STOPPED)


def main() -> int:
    """Runs the job; returns 0, 2 (an error that a user can mend) or 130 (stopped, can be resumed)."""
    # Libraries that print must not end up between the JSON lines.
    outgoing = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    wire = Wire(sys.stdin, outgoing)
    job = json.loads(sys.stdin.readline())
    signal.signal(signal.SIGTERM, lambda *_: wire.stopping.set())
    wire.listen()
    try:
        _search(wire, Path(job["song"]), Path(job["output"]), job["config"])
    except Stopped:
        return STOPPED
    except MixgraphError as error:
        wire.tell("error", message=str(error))
        return FAILED
    return DONE


def _search(wire: Wire, song: Path, output: Path, settings: dict[str, Any]) -> None:
    """Begins, or goes on where the last sitting ended."""
    from mixgraph.app.songs import read_contained
    from mixgraph.app.strips import strips_of
    from mixgraph.config import validate
    from mixgraph.console import build_console
    from mixgraph.memory import keep_memory
    from mixgraph.threads import wait_briefly

    keep_memory()
    wait_briefly()
    from mixgraph.processors.bank import chain_types
    from mixgraph.run.api import search

    config, layout = validate(settings, origin=str(output)), read_contained(song)
    subgroups = layout.subgroups if config.console.use_subgroups else {}
    console = build_console(tuple(layout.tracks), subgroups, chain_types(config.console.chain))
    wire.tell("console", strips=[strip.model_dump() for strip in strips_of(console)])
    search(song, config, output=output, resume=True, watch=wire.watch, should_stop=wire.stopping.is_set)


if __name__ == "__main__":
    sys.exit(main())
