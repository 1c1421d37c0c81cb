"""Songs for machines that do not see the corpus: what travels there, what they do with it, and what comes back."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TypeVar, final

from mixgraph.corpus.folder import Corpus, SongRecord, State
from mixgraph.corpus.process import JobOptions, ask_to_stop, start_job
from mixgraph.errors import SongError
from mixgraph.files import output_error, read_json, write_bytes, write_json

T = TypeVar("T")

LOOK_SECONDS = 0.2
SEND_SECONDS = 5.0
CHECKPOINT, HISTORY = "checkpoint.safetensors", "history.jsonl"


@final
@dataclass(frozen=True)
class Parcel:
    """One song on its way out: its corpus without the other songs, and what earlier searches of it left there."""

    corpus: Corpus
    state: State
    files: Mapping[str, bytes]

    @property
    def record(self) -> SongRecord:
        """The song."""
        return self.corpus.songs[0]


@final
@dataclass(frozen=True)
class News:
    """What has changed of a song: files by their path in the corpus, and `code`, its exit code, at the end."""

    state: State
    record: SongRecord
    files: Mapping[str, bytes] = field(default_factory=dict)
    code: int | None = None


def parcel_of(corpus: Corpus, song: str) -> Parcel:
    """The song as it stands."""
    alone = replace(corpus, songs=(corpus.song(song),))
    left = [file for file in _begun(corpus, song) if file.is_file()]
    return Parcel(alone, corpus.state(song), {_inside(corpus, file): file.read_bytes() for file in left})


def files_of(record: SongRecord) -> dict[str, Path]:
    """The files of a song by their path from its folder."""
    layout, folder = record.layout, Path(record.layout["folder"])
    names: list[str] = [*layout["tracks"].values(), layout["mix"], *layout["files"]]
    return {name: folder / name for name in names if name}


def search_parcel(
    parcel: Parcel, files: Mapping[str, T], read: Callable[[T], bytes], options: JobOptions
) -> Iterator[News]:
    """Searches a song away from its corpus, whose files can be `read`; tells what changes, and at last how it ended."""
    with tempfile.TemporaryDirectory(prefix="mixgraph-") as place:
        corpus = _unpack(parcel, files, read, Path(place))
        song, seen = parcel.record.id, {}
        process = start_job(corpus, song, parcel.state.attempts, options)
        try:
            sent, stage = time.monotonic(), ""
            while process.poll() is None:
                time.sleep(LOOK_SECONDS)
                if (now := corpus.state(song).stage) != stage or time.monotonic() - sent > SEND_SECONDS:
                    sent, stage = time.monotonic(), now
                    yield _news(parcel, corpus, seen, None)
            yield _news(parcel, corpus, seen, process.returncode)
        finally:
            ask_to_stop(process)
            process.wait()


def receive(corpus: Corpus, news: News) -> None:
    """Puts what has changed of a song into its corpus; a finished one appears at once. Raises `OutputError`."""
    song, state = news.record.id, news.state
    if news.code is not None and news.record != corpus.song(song):
        corpus.replace_song(news.record)
    result, arriving = corpus.result_folder(song), corpus.folder / "songs" / f"{song}.arriving"
    is_done = f"songs/{song}/graph.json" in news.files
    shutil.rmtree(arriving, ignore_errors=True)
    # The checkpoint last, as it was read first: a history may be longer than its checkpoint, but not shorter.
    for name, content in reversed(list(news.files.items())):
        inside = PurePosixPath(name)
        to = arriving / inside.name if is_done and inside.parent.name == song else corpus.folder / inside
        try:
            to.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(to.parent, error) from None
        write_bytes(to, content)
    if is_done:
        _move_home(arriving / "provenance.json", news.record)
        try:
            arriving.rename(result)
            shutil.rmtree(_partial(corpus, song), ignore_errors=True)
        except OSError as error:
            raise output_error(result, error) from None
    corpus.set_state(song, state)


def _unpack(parcel: Parcel, files: Mapping[str, T], read: Callable[[T], bytes], place: Path) -> Corpus:
    """The corpus of one song at a place of this machine, with all its files."""
    record, corpus = parcel.record, replace(parcel.corpus, folder=place / "corpus")
    # As deep as at home, so that paths that lead out of the song's folder stay below `place`.
    folder = _audio(corpus) / Path(record.layout["folder"]).relative_to("/")
    for name, content in files.items():
        file = Path(os.path.normpath(folder / name))
        if not file.is_relative_to(place):
            raise SongError(f"{record.id}: the path {name} leads nowhere; build the corpus anew")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(read(content))
    here = replace(record, layout=record.layout | {"folder": str(folder)})
    corpus = replace(corpus, songs=(here,))
    corpus.save()
    corpus.set_state(record.id, parcel.state)
    for name, content in parcel.files.items():
        (corpus.folder / name).parent.mkdir(exist_ok=True)
        (corpus.folder / name).write_bytes(content)
    return corpus


def _news(parcel: Parcel, corpus: Corpus, seen: dict[str, float], code: int | None) -> News:
    """All files that have changed since they were `seen`; the result only once the search is over."""
    song, changed = parcel.record.id, {}
    result = corpus.result_folder(song)
    is_done = code is not None and result.is_dir()
    for file in (*_begun(corpus, song), *(result.iterdir() if is_done else ())):
        with suppress(FileNotFoundError):  # not there yet, or just moved
            if (stamp := file.stat().st_mtime) != seen.get(str(file)):
                changed[_inside(corpus, file)] = file.read_bytes()
                seen[str(file)] = stamp
    record, state = Corpus.open(corpus.folder).song(song), corpus.state(song)
    home = replace(record, layout=record.layout | {"folder": parcel.record.layout["folder"]})
    error = state.error.replace(str(corpus.folder), str(parcel.corpus.folder)).replace(str(_audio(corpus)), "")
    return News(replace(state, error=error), home, changed, code)


def _move_home(provenance: Path, record: SongRecord) -> None:
    """Lets a result name the files where they are, not where they were sent to."""
    known, folder = read_json(provenance, "search the song again"), record.layout["folder"]
    write_json(provenance, known | {"song_folder": folder, "layout": known["layout"] | {"folder": folder}})


def _begun(corpus: Corpus, song: str) -> tuple[Path, ...]:
    """What an unfinished search needs to go on elsewhere, and its log."""
    partial = _partial(corpus, song)
    return partial / CHECKPOINT, partial / HISTORY, corpus.log_file(song)


def _inside(corpus: Corpus, file: Path) -> str:
    return file.relative_to(corpus.folder).as_posix()


def _audio(corpus: Corpus) -> Path:
    return corpus.folder.with_name("audio")


def _partial(corpus: Corpus, song: str) -> Path:
    from mixgraph.run.workspace import partial_folder

    return partial_folder(corpus.result_folder(song))
