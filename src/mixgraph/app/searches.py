"""The searches of a workspace: one at a time in a process of its own, the others wait their turn."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, final

from mixgraph.app.record import Record, Status
from mixgraph.app.strips import Strip
from mixgraph.app.worker import DONE, STOPPED
from mixgraph.app.workspace import Workspace
from mixgraph.errors import MixgraphError, OutputError, ResultError

WORKER: Final = (sys.executable, "-m", "mixgraph.app.worker")
STOP_SECONDS: Final = 20.0
"""How long a search may take to reach its next step; then it is killed, and goes on from its last checkpoint."""

LINE_BYTES: Final = 1 << 24
NICE_WORDS: Final = {-signal.SIGKILL: "it was killed, perhaps because the memory ran out"}


@final
@dataclass
class Sitting:
    """A search while its process runs; the end of `orders`, its stdin, stops it. `progress` is what it `told` last,
    and `began` when it told first."""

    process: asyncio.subprocess.Process
    orders: asyncio.StreamWriter
    progress: dict[str, Any] = field(default_factory=dict)
    began: float = 0.0
    told: float = 0.0
    error: str = ""
    killing: asyncio.TimerHandle | None = None

    @property
    def elapsed(self) -> float:
        """Seconds since the first step."""
        return time.monotonic() - self.began if self.began else 0.0

    @property
    def silence(self) -> float:
        """Seconds since it told something."""
        return time.monotonic() - self.told


@final
class Searches:
    """The queue. `version` rises with every change, for those who look on."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.records: dict[str, Record] = {}
        self.problems: list[str] = []
        self.queue: list[str] = []
        self.sittings: dict[str, Sitting] = {}
        self.version = 0
        self._closing, self._wake = False, asyncio.Event()
        self._load()

    def add(self, record: Record) -> None:
        """Puts a new search at the end of the queue."""
        self.records[record.name] = record
        self._enqueue(record.name)

    def resume(self, name: str) -> None:
        """Puts a stopped or failed search into the queue again; raises `ResultError` at any other."""
        record = self._record(name)
        if record.status not in ("stopped", "failed"):
            raise ResultError(f"{name}: is {record.status}; only what has stopped can go on")
        self._enqueue(name)

    def stop(self, name: str) -> None:
        """Stops a search after its current step, or takes it from the queue; raises `ResultError` at any other."""
        status = self._record(name).status
        if status == "queued":
            self.queue.remove(name)
            self._set(name, status="stopped")
        elif status == "running":
            self._set(name, status="stopping")
            if sitting := self.sittings.get(name):
                self._end(sitting)
        elif status != "stopping":
            raise ResultError(f"{name}: is {status}; there is nothing to stop")

    def forget(self, name: str) -> None:
        """Drops the record of a search that is not active; raises `ResultError` at one that is."""
        if name in self.records and self.records[name].is_active:
            raise ResultError(f"{name}: is {self.records[name].status}; stop it first")
        if self.records.pop(name, None):
            for suffix in (".json", ".log"):
                (self.workspace.searches / f"{name}{suffix}").unlink(missing_ok=True)
        self.version += 1

    async def work(self) -> None:
        """Runs what is in the queue, one after the other, until cancelled or closed."""
        while not self._closing:
            await self._wake.wait()
            self._wake.clear()
            while self.queue and not self._closing:
                await self._run(self.queue.pop(0))

    async def close(self) -> None:
        """Stops what runs, with a checkpoint, and waits for it."""
        self._closing = True
        self._wake.set()
        for sitting in list(self.sittings.values()):
            self._end(sitting)
        while self.sittings:
            await asyncio.sleep(0.02)

    async def _run(self, name: str) -> None:
        record = self.records[name]
        job = {
            "song": str(self.workspace.songs / record.song),
            "output": str(self.workspace.results / name),
            "config": record.config.model_dump(mode="json"),
        }
        self._set(name, status="running", error="")
        try:
            if self.workspace.song(record.song) is None:
                raise ResultError(f"songs/{record.song}: is not there any more; put the song back to go on")
            code, sitting = await self._sit(name, json.dumps(job))
        except (MixgraphError, OSError) as error:
            self._set(name, status="failed", error=self.workspace.told(error))
            return
        finally:
            self.sittings.pop(name, None)
        status: Status = "done" if code == DONE else "failed"
        asked = self.records[name].status == "stopping" or self._closing
        if code == STOPPED or (asked and code < 0):  # below zero: killed, having taken too long
            status = "stopped"
        error = "" if status != "failed" else sitting.error or self._last_words(name, code)
        self._set(name, status=status, error=self.workspace.told(error), spent=record.spent + sitting.elapsed)

    async def _sit(self, name: str, job: str) -> tuple[int, Sitting]:
        """Runs one process to its end; returns its exit code."""
        with (self.workspace.searches / f"{name}.log").open("ab") as log:
            # A session of its own: Ctrl-C in the terminal is the server's business. With the lock in its hands, no
            # other server can begin while it still writes.
            process = await asyncio.create_subprocess_exec(
                *WORKER,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                pass_fds=[self.workspace.lock.fileno()],
                limit=LINE_BYTES,
            )
        orders, told = process.stdin, process.stdout
        if orders is None or told is None:
            raise RuntimeError("a process was begun without its pipes")
        sitting = self.sittings[name] = Sitting(process, orders)
        orders.write(job.encode() + b"\n")
        if self._closing or self.records[name].status == "stopping":  # asked while it was starting
            self._end(sitting)
        async for line in told:
            if line.endswith(b"\n"):  # a kill may have cut the last one off
                self._hear(name, sitting, json.loads(line))
        code = await process.wait()
        if sitting.killing:
            sitting.killing.cancel()
        return code, sitting

    def _hear(self, name: str, sitting: Sitting, told: dict[str, Any]) -> None:
        event = told.pop("event")
        if event == "progress":
            sitting.told = time.monotonic()
            sitting.began = sitting.began or sitting.told
            sitting.progress = told
            self.version += 1
        elif event == "console":
            self._set(name, console=tuple(Strip.model_validate(strip) for strip in told["strips"]))
        elif event == "error":
            sitting.error = told["message"]

    def _end(self, sitting: Sitting) -> None:
        sitting.orders.close()

        def kill() -> None:
            with suppress(ProcessLookupError):
                sitting.process.kill()

        sitting.killing = sitting.killing or asyncio.get_running_loop().call_later(STOP_SECONDS, kill)

    def _last_words(self, name: str, code: int) -> str:
        log = self.workspace.searches / f"{name}.log"
        try:
            said = log.read_text(encoding="utf-8", errors="replace")
        except OSError:  # somebody has removed it by hand
            said = ""
        lines = [line for line in said.splitlines() if line.strip()]
        why = NICE_WORDS.get(code) or (lines[-1] if lines else f"exit code {code}")
        return f"the search ended unexpectedly: {why}; what it said is in {log}"

    def _record(self, name: str) -> Record:
        if name not in self.records:
            raise ResultError(f"{name}: was not begun on this page; go on with it where it was")
        return self.records[name]

    def _enqueue(self, name: str) -> None:
        self._set(name, status="queued", error="")
        self.queue.append(name)
        self._wake.set()

    def _set(self, name: str, **changes: Any) -> None:
        self.records[name] = record = self.records[name].model_copy(update=changes)
        self.version += 1
        try:
            record.save(self.workspace.searches)
        except OutputError as error:  # what is in memory still holds, and the search can go on
            self.problems = [self.workspace.told(error)]

    def _load(self) -> None:
        """Reads all records. What ran or waited when the last server ended has stopped."""
        for file in sorted(self.workspace.searches.glob("*.json")):
            try:
                record = Record.load(file)
            except ResultError as error:
                self.problems.append(self.workspace.told(error))
                continue
            self.records[record.name] = record
            partial, result = self.workspace.partial(record.name), self.workspace.result(record.name)
            if result and not partial:
                self._set(record.name, status="done", error="")
            elif record.status == "done" and not partial:
                self.forget(record.name)  # the result was removed by hand
            elif record.is_active or record.status == "done":
                self._set(record.name, status="stopped")
