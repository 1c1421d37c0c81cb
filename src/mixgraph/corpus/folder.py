"""A corpus on disk.

CORPUS/
  corpus.json            what is searched, and how: one record per song, settings, seed
  songs/ID/              the result of each finished song; songs/ID.partial while it is searched
  states/ID.json         how far each song is: waiting, running, done or failed
  states/ID.lock         held by the process that searches the song, as long as it lives
  logs/ID.log            what its search said
  *.parquet, DATASHEET.md   made from the results
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, final

from mixgraph.config import SearchConfig, validate
from mixgraph.corpus.claims import is_claimed, turn
from mixgraph.errors import ConfigError, ResultError
from mixgraph.files import output_error, read_json, write_json

if TYPE_CHECKING:
    from mixgraph.result.result import Result

CORPUS, LOCK = "corpus.json", ".corpus.lock"
SCHEMA_VERSION = 1
Status = Literal["waiting", "running", "done", "failed"]


@final
@dataclass(frozen=True)
class SongRecord:
    """One song of a corpus. `layout` is `Layout.to_json()`; `truth` the folder of its true graph, where known.

    `fault` is what was wrong with the song when its dataset was read: it fails with that, alone. `guessed` says that
    its subgroups are a guess from the names of its tracks.
    """

    id: str
    title: str
    artist: str
    licence: str
    layout: dict[str, Any]
    aligned: bool = True
    truth: str | None = None
    fault: str = ""
    guessed: bool = False


@final
@dataclass(frozen=True)
class State:
    """How far a song is. `attempts` says how often it was begun, `stage` where it stands or stood, such as `prune 2/4`.

    `error` is one line; `host` and `pid` say who works on it; times are Unix seconds; `seconds_left` is an estimate of
    the search that runs.
    """

    status: Status = "waiting"
    attempts: int = 0
    stage: str = ""
    error: str = ""
    host: str = ""
    pid: int = 0
    began: float = 0.0
    ended: float = 0.0
    seconds_left: float | None = None


@final
@dataclass(frozen=True)
class Corpus:
    """A corpus folder; `create_corpus` of `mixgraph.corpus.create` makes one, `Corpus.open` reads one."""

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
            try:
                (self.folder / name).mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise output_error(self.folder / name, error) from None
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

    def song(self, song: str) -> SongRecord:
        """The record of one song; raises `ConfigError` if there is none."""
        found = next((record for record in self.songs if record.id == song), None)
        if found is None:
            raise ConfigError(f"{self.folder}: no song '{song}'; `mixgraph corpus status` lists them")
        return found

    def turn(self) -> AbstractContextManager[None]:
        """Waits for the right to change `corpus.json` and holds it."""
        return turn(self.folder / LOCK)

    def replace_song(self, record: SongRecord) -> None:
        """Writes what has been learnt of a song into `corpus.json`; others may be doing the same."""
        with self.turn():
            now = Corpus.open(self.folder)
            replace(now, songs=tuple(record if song.id == record.id else song for song in now.songs)).save()

    def result_folder(self, song: str) -> Path:
        """Where the result of a song is, or will be."""
        return self.folder / "songs" / song

    def log_file(self, song: str) -> Path:
        """What the search of a song said."""
        return self.folder / "logs" / f"{song}.log"

    def lock_file(self, song: str) -> Path:
        """Held by whoever works on a song; see `mixgraph.corpus.claims`."""
        return self.folder / "states" / f"{song}.lock"

    def state(self, song: str) -> State:
        """How far a song is, whatever became of the processes that worked on it.

        It runs while somebody holds its lock; otherwise a result that is there is done, and one that is not is waiting
        or has failed, whatever it says.
        """
        state = self._noted(song)
        if state.status == "running":
            if is_claimed(self.lock_file(song)):
                return state
            state = self._noted(song)  # it may have ended since
        folder, status = self.result_folder(song), state.status
        if folder.is_dir():
            ended = state.ended or folder.stat().st_mtime
            return replace(state, status="done", error="", seconds_left=None, ended=ended)
        return replace(state, status="failed" if status == "failed" else "waiting", seconds_left=None)

    def _noted(self, song: str) -> State:
        file = self.folder / "states" / f"{song}.json"
        known = {item.name for item in fields(State)}
        found = read_json(file, "remove it") if file.is_file() else {}
        return State(**{name: value for name, value in found.items() if name in known})

    def set_state(self, song: str, state: State) -> None:
        """Writes how far a song is; raises `OutputError`."""
        write_json(self.folder / "states" / f"{song}.json", asdict(state))

    def results(self) -> Iterator[tuple[SongRecord, Result]]:
        """Every finished song with its result, in order."""
        from mixgraph.result.result import Result  # needs torch, which all else here does without

        for song in self.songs:
            if self.result_folder(song.id).is_dir():
                yield song, Result.load(self.result_folder(song.id))
