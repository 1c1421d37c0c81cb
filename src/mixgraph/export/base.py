"""What a format of export is: it writes a folder, and says of every processor what became of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from mixgraph.audio.song import Song
from mixgraph.datasets.names import numbered, safe
from mixgraph.errors import ResultError
from mixgraph.export.fidelity import Fate
from mixgraph.registry import Registry
from mixgraph.result.result import Result


@dataclass(frozen=True)
class Source:
    """What is exported: a result, and the song that it is rendered with where there is one; `device` computes."""

    result: Result
    own_song: Song | None = None
    device: str = "cpu"

    @property
    def song(self) -> Song:
        """The song; raises `ResultError` where there is none, which no format with `needs_song` sees."""
        if self.own_song is None:
            raise ResultError("this export needs the song's audio; name a song folder after the result")
        return self.own_song

    @property
    def name(self) -> str:
        """The song's name."""
        return self.own_song.name if self.own_song else str(self.result.provenance.get("song") or "result")

    @property
    def sample_rate(self) -> int:
        """The rate at which the graph works, and the song is read."""
        return self.result.config.audio.sample_rate

    def signals(self, ids: Iterable[str]) -> dict[str, np.ndarray]:
        """What leaves nodes over the whole song, `(2, samples)` each."""
        return self.result.signals(self.song, list(ids), device=self.device)


class Export(ABC):
    """One format. Subclasses are registered in `EXPORTS`, one file each; the class's docstring is its line of help."""

    needs_song: ClassVar[bool]
    """Whether it holds audio, or fits something to it."""

    @abstractmethod
    def write(self, source: Source, folder: Path) -> list[Fate]:
        """Writes into an empty folder; one `Fate` per processor of the graph, in its order.

        Raises `ResultError` where this format cannot hold this graph.
        """


class RenderedExport(Export):
    """A format that its own program can render here, so that its fidelity is heard and not only claimed."""

    @abstractmethod
    def render(self, folder: Path, source: Source) -> tuple[np.ndarray, int]:
        """What the program makes of a written export and the tracks of `source`: `(2, samples)`, and its sample rate.

        Raises `ConfigError` where the program is not installed, naming it and how to get it.
        """


EXPORTS: Registry[type[Export]] = Registry("export format", "mixgraph.export")


def about(kind: type[Export]) -> str:
    """The first line of a format's docstring, as help shows it."""
    return (kind.__doc__ or "").strip().splitlines()[0].rstrip(".")


def file_names(names: Iterable[str]) -> dict[str, str]:
    """Names of files, without a suffix, for tracks or nodes; unlike names get unlike files."""
    names = list(names)
    return dict(zip(names, numbered(safe(name) or "unnamed" for name in names), strict=True))
