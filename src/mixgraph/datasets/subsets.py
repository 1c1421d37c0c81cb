"""Some songs of a dataset: by id, by pattern, or the subset that the paper was evaluated on."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from fnmatch import fnmatchcase
from importlib.resources import files

from mixgraph.audio.song_file import suggestion
from mixgraph.errors import ConfigError

EVALUATION = "evaluation"


def evaluation_songs(dataset: str) -> tuple[str, ...]:
    """Ids of the songs of a dataset that the paper's tables are about (arXiv 2406.01049); none for most datasets."""
    known = json.loads((files("mixgraph.datasets") / "evaluation_songs.json").read_text(encoding="utf-8"))
    return tuple(known["songs"].get(dataset, ()))


def select_songs(dataset: str, songs: Collection[str], only: Sequence[str]) -> tuple[str, ...]:
    """The songs that are there and asked for, in their order; all of them where nothing is asked for.

    `only` holds ids, patterns such as `MusicDelta_*`, and `evaluation`. One that fits no song raises `ConfigError`.
    """
    wanted = {song for asked in only for song in _fitting(dataset, songs, asked)}
    return tuple(song for song in songs if song in wanted or not only)


def _fitting(dataset: str, songs: Collection[str], asked: str) -> Iterator[str]:
    subset = evaluation_songs(dataset) if asked == EVALUATION else ()
    if asked == EVALUATION and not subset:
        raise ConfigError(f"{dataset} has no evaluation songs: the paper used medleydb and mixing_secrets")
    found = [song for song in songs if song in subset or fnmatchcase(song, asked)]
    if not found:
        cure = f"none of its {len(subset)} songs is there" if subset else suggestion(asked, songs, "songs")
        raise ConfigError(f"{dataset}: no song fits '{asked}'; {cure}")
    yield from found
