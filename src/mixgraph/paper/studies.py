"""The results that tables and figures are made of: those of corpora, and of plain folders of results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from mixgraph.audio.song import Song
from mixgraph.corpus.folder import CORPUS, Corpus
from mixgraph.errors import ConfigError, ResultError
from mixgraph.report.search_history import read_history
from mixgraph.result.result import GRAPH, Result
from mixgraph.result.song import load_own_song

MADE: Final = frozenset({"applied", "synthetic"})
"""What the provenance of a result has that no search found."""


@final
@dataclass(frozen=True)
class Study:
    """One result, where it lies and which dataset its song is from."""

    result: Result
    folder: Path
    dataset: str

    @property
    def song(self) -> str:
        """Name of the song."""
        return str(self.result.provenance["song"])

    @property
    def chain(self) -> str:
        """Letters of the console that it began with."""
        return self.result.config.console.chain

    @property
    def is_pruned(self) -> bool:
        """Whether it went through pruning, or is the fit of a console."""
        return self.result.config.prune.rounds > 0

    @property
    def criterion(self) -> tuple[str, float]:
        """Pruning strategy and tolerance."""
        return self.result.config.prune.strategy, self.result.config.prune.tolerance

    def history(self) -> list[dict[str, Any]]:
        """What its search noted, line by line; raises `ResultError`."""
        return read_history(self.folder)

    def load_song(self) -> Song:
        """Its song, from where it was; raises `ResultError` or `SongError`."""
        return load_own_song(self.result, self.folder)


def load_studies(folders: Iterable[Path]) -> list[Study]:
    """All results of searches in corpora, or in folders that hold result folders.

    Raises `ResultError` where there are none; what `mixgraph apply` and `corpus synthesise` made is no search.
    """
    return [study for folder in folders for study in _studies_in(folder)]


def _studies_in(folder: Path) -> Iterator[Study]:
    if (folder / CORPUS).is_file():
        corpus = Corpus.open(folder)
        found = [(corpus.result_folder(song.id), result) for song, result in corpus.results()]
        name = corpus.dataset
    else:
        places = [file.parent for file in sorted(folder.glob(f"*/{GRAPH}"))]
        found = [(place, Result.load(place)) for place in places if not place.name.endswith(".partial")]
        name = folder.resolve().name
    found = [(place, result) for place, result in found if not MADE.intersection(result.provenance)]
    if not found:
        cure = "give corpora, or folders that hold results of `mixgraph search` or `mixgraph console`"
        raise ResultError(f"{folder}: no results there; {cure}")
    yield from (Study(result, place, name) for place, result in found)


def consoles_of(studies: Iterable[Study], chain: str = "ecnsgdr") -> dict[str, Study]:
    """Fits of one console without pruning, by song."""
    return {study.song: study for study in studies if not study.is_pruned and study.chain == chain}


def pruned_of(studies: Iterable[Study]) -> list[Study]:
    """Results that went through pruning."""
    return [study for study in studies if study.is_pruned]


def require(studies: Sequence[Study], what: str) -> Sequence[Study]:
    """The studies, unless there are none; raises `ConfigError` that says what is needed."""
    if not studies:
        raise ConfigError(f"no results for it: {what}")
    return studies
