"""A corpus on disk.

CORPUS/
  corpus.json            what is searched, and how: one record per song, settings, seed
  songs/ID/              the result of each finished song; songs/ID.partial while it is searched
  states/ID.json         how far each song is: waiting, running, done or failed
  logs/ID.log            what its search said
  *.parquet, DATASHEET.md   made from the results
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, final

from mixgraph.config import SearchConfig, validate
from mixgraph.errors import ResultError
from mixgraph.files import read_json, write_json
from mixgraph.result.result import Result

CORPUS = "corpus.json"
SCHEMA_VERSION = 1
Status = Literal["waiting", "running", "done", "failed"]


@final
@dataclass(frozen=True)
class SongRecord:
    """One song of a corpus. `layout` is `Layout.to_json()`; `truth` the folder of its true graph, where known."""

    id: str
    title: str
    artist: str
    licence: str
    layout: dict[str, Any]
    aligned: bool = True
    truth: str | None = None


@final
@dataclass(frozen=True)
class State:
    """How far a song is. `error` is one line; `host` and `pid` say who works on it; times are Unix seconds."""

    status: Status = "waiting"
    attempts: int = 0
    stage: str = ""
    error: str = ""
    host: str = ""
    pid: int = 0
    began: float = 0.0
    ended: float = 0.0


@final
@dataclass(frozen=True)
class Corpus:
    """A corpus folder that exists; `Corpus.create` makes one, `Corpus.open` reads one."""

    folder: Path
    name: str
    dataset: str
    config: SearchConfig
    songs: tuple[SongRecord, ...]
    facts: dict[str, Any] = field(default_factory=dict)
    """What else `corpus.json` says, such as the version of mixgraph and the dataset's citation."""

    def save(self) -> None:
        """Writes `corpus.json`; raises `OutputError`."""
        for name in ("songs", "states", "logs"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        document = {
            "schema_version": SCHEMA_VERSION,
            "name": self.name,
            "dataset": self.dataset,
            "config": self.config.model_dump(mode="json"),
            "facts": self.facts,
            "songs": [asdict(song) for song in self.songs],
        }
        write_json(self.folder / CORPUS, document)

    @classmethod
    def open(cls, folder: Path | str) -> Corpus:
        """Reads a corpus; raises `ResultError` naming the file."""
        file = Path(folder) / CORPUS
        document = read_json(file, "make one with `mixgraph corpus build`")
        if document.get("schema_version") != SCHEMA_VERSION:
            found = document.get("schema_version")
            raise ResultError(f"{file}: schema version {found!r}, not {SCHEMA_VERSION}; use the mixgraph that made it")
        try:
            songs = tuple(SongRecord(**song) for song in document["songs"])
            config = validate(document["config"], origin=str(file))
            return cls(file.parent, document["name"], document["dataset"], config, songs, document["facts"])
        except (KeyError, TypeError) as error:
            raise ResultError(f"{file}: not what `mixgraph corpus build` writes ({error})") from None

    def result_folder(self, song: str) -> Path:
        """Where the result of a song is, or will be."""
        return self.folder / "songs" / song

    def log_file(self, song: str) -> Path:
        """What the search of a song said."""
        return self.folder / "logs" / f"{song}.log"

    def state(self, song: str) -> State:
        """How far a song is. A result that is there counts as done, whatever became of the process that made it."""
        file = self.folder / "states" / f"{song}.json"
        known = {item.name for item in fields(State)}
        found = read_json(file, "remove it") if file.is_file() else {}
        state = State(**{name: value for name, value in found.items() if name in known})
        if self.result_folder(song).is_dir() and state.status != "done":
            return replace(state, status="done", error="")
        return state

    def set_state(self, song: str, state: State) -> None:
        """Writes how far a song is; raises `OutputError`."""
        write_json(self.folder / "states" / f"{song}.json", asdict(state))

    def results(self) -> Iterator[tuple[SongRecord, Result]]:
        """Every finished song with its result, in order."""
        for song in self.songs:
            if self.result_folder(song.id).is_dir():
                yield song, Result.load(self.result_folder(song.id))
