"""Processes on this machine, as many as fit its memory."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from typing import final

from mixgraph.corpus.engines.base import ENGINES, Ended, Engine, EngineOptions
from mixgraph.corpus.folder import Corpus
from mixgraph.corpus.process import ask_to_stop, start_job
from mixgraph.corpus.sizes import cores, usable_mb

LOOK_SECONDS = 0.05


@ENGINES.register("local")
@final
class LocalEngine(Engine):
    """By default one process per core (of `threads` each); a song that would not fit waits, or runs alone."""

    def __init__(self, corpus: Corpus, options: EngineOptions) -> None:
        super().__init__(corpus, options)
        self.jobs = options.jobs or max(1, cores() // options.job.threads)
        self.memory_mb = usable_mb() if options.memory_mb is None else options.memory_mb
        self._running: dict[str, tuple[subprocess.Popen[bytes], float]] = {}

    def has_room(self, memory_mb: float) -> bool:
        taken = sum(memory for _, memory in self._running.values())
        return not self._running or (len(self._running) < self.jobs and taken + memory_mb <= self.memory_mb)

    def start(self, song: str, seen: int, memory_mb: float) -> None:
        self._running[song] = start_job(self.corpus, song, seen, self.options.job), memory_mb

    def wait(self, seconds: float) -> Sequence[Ended]:
        until = time.monotonic() + seconds
        while not (ended := self._ended()) and time.monotonic() < until:
            time.sleep(LOOK_SECONDS)
        return ended

    def stop(self) -> None:
        for process, _ in self._running.values():
            ask_to_stop(process)

    def __exit__(self, *_: object) -> None:
        self.stop()
        for process in [process for process, _ in self._running.values()]:
            process.wait()

    def _ended(self) -> list[Ended]:
        codes = {song: process.poll() for song, (process, _) in self._running.items()}
        over = [Ended(song, code) for song, code in codes.items() if code is not None]
        for ended in over:
            ask_to_stop(self._running.pop(ended.song)[0])  # closes our end of its pipe
        return over
