"""What an engine is: it begins the searches of songs where there is room, and tells how they ended."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import final

from mixgraph.corpus.folder import Corpus
from mixgraph.corpus.process import JobOptions
from mixgraph.registry import Registry


@final
@dataclass(frozen=True)
class EngineOptions:
    """What an engine may take: how many `jobs` at once, `memory_mb` in all (None: what there is), and of Ray what it
    asks for, where, and whether songs are on a shared path or staged through its object store."""

    job: JobOptions = field(default_factory=JobOptions)
    jobs: int | None = None
    memory_mb: float | None = None
    ray_address: str = "auto"
    gpus_per_job: float = 0.0
    stage: bool = False


@final
@dataclass(frozen=True)
class Ended:
    """A search that is over: its process's exit code, None where the process was lost; `reason` is why, if known."""

    song: str
    code: int | None
    reason: str = ""


class Engine(AbstractContextManager["Engine", None], ABC):
    """Begins searches. What becomes of a song is in its state; `wait` tells that a process is no more."""

    def __init__(self, corpus: Corpus, options: EngineOptions) -> None:
        self.corpus, self.options = corpus, options

    @abstractmethod
    def has_room(self, memory_mb: float) -> bool:
        """Whether a search that takes so much memory may begin now; one of any size may where nothing else runs."""

    @abstractmethod
    def start(self, song: str, seen: int, memory_mb: float) -> None:
        """Begins, or goes on with, the search of a song that has been begun `seen` times."""

    @abstractmethod
    def wait(self, seconds: float) -> Sequence[Ended]:
        """The searches that have ended, after so many seconds or as soon as there is one."""

    @abstractmethod
    def stop(self) -> None:
        """Asks all searches to stop soon; `wait` goes on telling."""


ENGINES: Registry[type[Engine]] = Registry("engine", "mixgraph.corpus.engines")
