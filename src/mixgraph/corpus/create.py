"""From a dataset to a corpus folder, and which of its songs to search."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mixgraph.audio.song_file import Layout
from mixgraph.config import SearchConfig
from mixgraph.corpus.claims import turn
from mixgraph.corpus.folder import CORPUS, LOCK, Corpus, SongRecord
from mixgraph.datasets.base import DATASETS, Dataset, open_dataset
from mixgraph.datasets.subsets import select_songs
from mixgraph.errors import ConfigError, OutputError, SongError
from mixgraph.files import output_error


def dataset_at(name: str, root: Path | None = None) -> tuple[str, Dataset]:
    """A dataset by its name, and where it is; a folder in place of the name is a folder of songs."""
    if name not in DATASETS and root is None and Path(name).is_dir():
        name, root = "folder", Path(name)
    if name not in DATASETS:
        raise ConfigError(f"unknown dataset '{name}', and no such folder; known: {', '.join(DATASETS)}")
    return name, open_dataset(name, root)


def create_corpus(
    folder: Path,
    dataset: str,
    source: Dataset,
    songs: Sequence[str],
    config: SearchConfig,
    *,
    align: bool = False,
    words: Mapping[str, str] | None = None,
    resume: bool = False,
) -> Corpus:
    """The corpus in a folder, made if it is not there, with those songs of a dataset among its songs.

    `words` are for subgroups that are guessed, as in `guess_subgroups`; those that the dataset gives stay.
    What is known of songs without a result is read anew, so that what was mended counts; a song that the dataset cannot
    read becomes a record with a `fault`. Several may do this at once. Raises `OutputError` where there is a corpus
    already (unless `resume`) or something else, `ConfigError` where it was begun in another way.
    """
    if folder.is_dir() and not (folder / CORPUS).is_file() and any(file.name != LOCK for file in folder.iterdir()):
        raise OutputError(f"{folder}: is no corpus, and not empty; choose another folder with -o")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(folder, error) from None
    with turn(folder / LOCK):
        if (folder / CORPUS).is_file():
            if not resume:
                raise OutputError(f"{folder}: holds a corpus already; go on with it with --resume, or choose another")
            corpus = Corpus.open(folder)
            _require_same(corpus, dataset, config, align, words)
        else:
            corpus = Corpus(folder, folder.absolute().name, dataset, config, (), _facts(source, align, words))
        return _read_anew(corpus, source, songs)


def read_anew(corpus: Corpus, songs: Sequence[str]) -> Corpus:
    """The corpus, with those songs read again from the dataset that it was made from."""
    source = open_dataset(corpus.dataset, corpus.facts.get("root"))
    with corpus.turn():
        return _read_anew(Corpus.open(corpus.folder), source, songs)


def listed(only: Sequence[str], dataset: str, source: Dataset) -> tuple[str, ...]:
    """The ids that `--only` asks for, as `select_songs` has it; words may stand in files, by line or as a JSON list."""
    words: list[str] = []
    for word in only:
        words += [word] if word in source.songs or not Path(word).is_file() else _lines(Path(word))
    return select_songs(dataset, source.songs, words)


def _lines(file: Path) -> list[str]:
    try:
        text = file.read_text(encoding="utf-8")
        lines = json.loads(text) if text.lstrip().startswith("[") else text.splitlines()
        found = [line.strip() for line in lines if line.strip()]
    except (OSError, ValueError, AttributeError) as error:
        raise ConfigError(f"{file}: is no list of songs ({error}); write one id per line") from None
    if not found:
        raise ConfigError(f"{file}: lists no songs; write one id per line")
    return found


def shard_of(songs: Sequence[SongRecord], part: int, parts: int) -> tuple[SongRecord, ...]:
    """Part 1 to `parts` of the songs: every song is in exactly one."""
    return tuple(songs[part - 1 :: parts])


def _read_anew(corpus: Corpus, source: Dataset, songs: Sequence[str]) -> Corpus:
    records = {record.id: record for record in corpus.songs}
    for song in songs:
        known = records.get(song)
        if known is None or not corpus.result_folder(song).is_dir():
            records[song] = _record(source, song, known, corpus.facts.get("words"))
    corpus = replace(corpus, songs=tuple(records.values()))
    corpus.save()
    return corpus


def _record(source: Dataset, song: str, known: SongRecord | None, words: Mapping[str, str] | None) -> SongRecord:
    try:
        entry = source.entry(song)
        if words and entry.grouping == "guessed":
            entry = entry.regrouped(words)
    except SongError as error:
        layout = Layout(song, {}, folder=source.songs.get(song)).to_json()
        return SongRecord(song, song, "", "", layout, fault=str(error))
    truth = str(entry.truth.absolute()) if entry.truth else None
    layout = entry.layout.to_json()
    aligned = entry.aligned
    # Offsets that were found stay while the tracks are the same; a record with a fault knew none.
    if known and known.aligned and not aligned and known.layout["tracks"].keys() == layout["tracks"].keys():
        layout["offsets"], aligned = known.layout["offsets"], True
    about = (song, entry.title, entry.artist, entry.licence, layout, aligned, truth)
    return SongRecord(*about, guessed=entry.grouping == "guessed")


def _facts(source: Dataset, align: bool, words: Mapping[str, str] | None) -> dict[str, Any]:
    about = {name: getattr(source, name) for name in ("title", "citation", "licence", "url")}
    made = {"mixgraph": version("mixgraph"), "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    return about | made | {"root": str(source.root.absolute())} | _how(align, words)


def _require_same(
    corpus: Corpus, dataset: str, config: SearchConfig, align: bool, words: Mapping[str, str] | None
) -> None:
    """One corpus is made in one way."""
    begun, given = _said(corpus.dataset, corpus.config, corpus.facts), _said(dataset, config, _how(align, words))
    for name, value in given.items():
        if begun[name] != value:
            cure = "give the same to --resume, or make another corpus with -o"
            raise ConfigError(f"{corpus.folder}: was begun with {name} = {begun[name]}, not {value}; {cure}")


def _how(align: bool, words: Mapping[str, str] | None) -> dict[str, Any]:
    """What `facts` say of how songs are read."""
    return {"align": align} | ({"words": dict(words)} if words else {})


def _said(dataset: str, config: SearchConfig, facts: Mapping[str, Any]) -> dict[str, Any]:
    words = facts.get("words") or "those of mixgraph alone"
    values: dict[str, Any] = {"dataset": dataset, "align": facts.get("align", False), "words of subgroups": words}
    for section, held in config.model_dump(mode="json").items():
        inner = held.items() if isinstance(held, dict) else [("", held)]
        values |= {f"{section}.{key}".rstrip("."): value for key, value in inner}
    return values
