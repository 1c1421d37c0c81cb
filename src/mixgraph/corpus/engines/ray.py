"""Tasks on a Ray cluster: `ray start --head` on a laptop, or hundreds of machines; Ray decides where and when.

A task begins the same process as `local` does and waits for it, so that a song's threads, log, memory and death are its
own, and results are the same. Ray repeats nothing by itself: a lost task comes back to whoever asked for it, and a
new one goes on from the checkpoint.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any, final

from mixgraph.corpus.claims import claim
from mixgraph.corpus.engines.base import ENGINES, Ended, Engine, EngineOptions
from mixgraph.corpus.engines.staging import News, Parcel, files_of, parcel_of, receive, search_parcel
from mixgraph.corpus.extras import require
from mixgraph.corpus.folder import CORPUS, Corpus
from mixgraph.corpus.job import FAILED, TAKEN
from mixgraph.corpus.process import JobOptions, ask_to_stop, start_job
from mixgraph.errors import ConfigError, MixgraphError, OutputError

LOOK_SECONDS = 0.2
AHEAD, AHEAD_AT_LEAST = 2, 8
"""How many tasks are handed to Ray, in what the cluster can run at once: some wait there, so that it may grow."""
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS_SKIP_REGEX": "."}
"""Ray prints its errors to stdout, which belongs to our output; they are raised here as well."""


@ENGINES.register("ray")
@final
class RayEngine(Engine):
    """One task per song; asks Ray for `threads` CPUs, `gpus_per_job` and the memory that the song is taken to need."""

    def __init__(self, corpus: Corpus, options: EngineOptions) -> None:
        super().__init__(corpus, options)
        require("ray", "ray")
        if options.stage and options.ray_address.startswith("ray://"):
            cure = "run on a machine of the cluster, say with `ray job submit`, or share the path"
            raise ConfigError(f"--stage does not work through {options.ray_address}; {cure}")
        for name, value in QUIET.items():
            os.environ.setdefault(name, value)
        import ray

        self._ray, self._started_here = ray, not ray.is_initialized()
        if self._started_here:
            self._connect()
        self._songs: dict[Any, str] = {}
        self._held: dict[str, ExitStack] = {}
        self._refused: list[Ended] = []

    def has_room(self, memory_mb: float) -> bool:
        if self.options.jobs:
            return len(self._songs) < self.options.jobs
        slots = int(self._ray.cluster_resources().get("CPU", 0) // self.options.job.threads)
        return len(self._songs) < max(AHEAD * slots, AHEAD_AT_LEAST)

    def start(self, song: str, seen: int, memory_mb: float) -> None:
        begin = self._staged if self.options.stage else self._shared
        how = {
            "num_cpus": self.options.job.threads,
            "num_gpus": self.options.gpus_per_job,
            # What no machine has would never be begun.
            "memory": int(min(memory_mb * 1e6, self._largest_memory())),
            "max_retries": 0,
            "name": f"mixgraph {song}",
        }
        if handle := begin(song, seen, how):
            self._songs[handle] = song

    def wait(self, seconds: float) -> Sequence[Ended]:
        ended, self._refused = self._refused, []
        if not self._songs and not ended:
            time.sleep(seconds)
        elif not ended:
            first, others = self._ray.wait(list(self._songs), timeout=seconds)
            more = self._ray.wait(others, num_returns=len(others), timeout=0)[0] if others else []
            ended = [over for handle in (*first, *more) if (over := self._take(handle))]
        return ended

    def stop(self) -> None:
        for handle in self._songs:
            self._ray.cancel(handle)

    def __exit__(self, *_: object) -> None:
        self.stop()
        for handle in list(self._songs):
            self._let_go(handle)
        if self._started_here:
            self._ray.shutdown()

    def _connect(self) -> None:
        address = self.options.ray_address
        ours = {"include_dashboard": False} if address == "local" else {}
        try:
            self._ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **ours)
        except (ConnectionError, RuntimeError, ValueError) as error:
            cure = "start a cluster with `ray start --head`, or use --ray-address local"
            raise ConfigError(f"no Ray cluster at '{address}' ({error}); {cure}") from None

    def _shared(self, song: str, seen: int, how: Mapping[str, Any]) -> Any:
        task = self._ray.remote(search_shared).options(**how)
        return task.remote(str(self.corpus.folder.absolute()), song, seen, self.options.job, version("mixgraph"))

    def _staged(self, song: str, seen: int, how: Mapping[str, Any]) -> Any:
        held = ExitStack()
        if not held.enter_context(claim(self.corpus.lock_file(song))) or self.corpus.state(song).attempts != seen:
            held.close()
            self._refused.append(Ended(song, TAKEN))
            return None
        self._held[song] = held
        parcel = parcel_of(self.corpus, song)
        # One that is not there fails its song, as it would at home.
        found = {name: path for name, path in files_of(parcel.record).items() if path.is_file()}
        files = {name: self._ray.put(path.read_bytes()) for name, path in found.items()}
        task = self._ray.remote(search_staged).options(**how, num_returns="streaming")
        return task.remote(parcel, files, self.options.job, version("mixgraph"))

    def _take(self, handle: Any) -> Ended | None:
        """What a task that has something to say says; None while it goes on."""
        errors = self._ray.exceptions
        song = self._songs[handle]
        try:
            if self.options.stage:
                news: News = self._ray.get(next(handle))
                receive(self.corpus, news)
                if news.code is None:
                    return None
                code = news.code
            else:
                code = self._ray.get(handle)
            ended = Ended(song, code)
        except errors.RayTaskError as error:
            # A machine that cannot search fails the songs that it was given; others may do better.
            cannot = isinstance(error.cause, MixgraphError)
            ended = Ended(song, FAILED, str(error.cause)) if cannot else Ended(song, None, _first_line(error.cause))
        except (errors.RayError, StopIteration) as error:
            ended = Ended(song, None, _first_line(error))
        self._let_go(handle)
        return ended

    def _let_go(self, handle: Any) -> None:
        song = self._songs.pop(handle)
        if song in self._held:
            self._held.pop(song).close()

    def _largest_memory(self) -> float:
        return max((node["Resources"].get("memory", 0) for node in self._ray.nodes() if node["Alive"]), default=0)


def search_shared(folder: str, song: str, seen: int, options: JobOptions, made_by: str) -> int:
    """Searches a song of a corpus that this machine sees at the same path; returns its process's exit code."""
    _require_version(made_by)
    if not Path(folder, CORPUS).is_file():
        where = f"{folder}: {socket.gethostname()} sees no corpus there"
        raise OutputError(f"{where}; put it where all machines see it at one path, or use --stage")
    process = start_job(Corpus.open(folder), song, seen, options)
    try:
        # Ray cancels a task between two lines of Python, so this must not wait in one.
        while process.poll() is None:
            time.sleep(LOOK_SECONDS)
        return process.returncode
    finally:
        ask_to_stop(process)
        process.wait()


def search_staged(
    parcel: Parcel, files: Mapping[str, Any], options: JobOptions, made_by: str
) -> Generator[News, None, None]:
    """Searches a song that came through Ray; `files` are references to the bytes of each."""
    import ray

    _require_version(made_by)
    yield from search_parcel(parcel, files, ray.get, options)


def _require_version(wanted: str) -> None:
    if (found := version("mixgraph")) != wanted:
        where = f"{socket.gethostname()} has mixgraph {found}, this machine {wanted}"
        raise ConfigError(f"{where}; install the same everywhere, or results would differ")


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or ["no reason given"]
    return f"{type(error).__name__}: {lines[0]}"
