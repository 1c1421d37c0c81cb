"""The paper's evaluation subset, and songs picked by id or pattern."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mixgraph.datasets.base import DATASETS
from mixgraph.datasets.names import safe
from mixgraph.datasets.subsets import evaluation_songs, select_songs
from mixgraph.errors import ConfigError

SONGS = ("AClassicEducation_NightOwl", "MusicDelta_Disco", "MusicDelta_Hendrix", "Torres_NewSkin")


def test_the_paper_used_24_songs_of_each_dataset(shared: Path) -> None:
    published = json.loads((shared / "facts" / "evaluation_songs.json").read_text())
    assert {name: list(evaluation_songs(name)) for name in published} == published
    assert [len(evaluation_songs(name)) for name in published] == [24, 24]
    assert set(published) <= set(DATASETS)
    assert all(safe(song) == song for name in published for song in evaluation_songs(name))


def test_other_datasets_have_no_evaluation_songs() -> None:
    assert evaluation_songs("slakh2100") == ()
    with pytest.raises(ConfigError, match="slakh2100 has no evaluation songs: the paper used medleydb and"):
        select_songs("slakh2100", SONGS, ["evaluation"])


@pytest.mark.parametrize(
    ("only", "chosen"),
    [
        ([], SONGS),
        (["evaluation"], (SONGS[0], SONGS[2], SONGS[3])),
        (["MusicDelta_*"], SONGS[1:3]),
        (["Torres_NewSkin", "*_NightOwl"], (SONGS[0], SONGS[3])),
    ],
)
def test_songs_are_picked_in_their_own_order(only: list[str], chosen: tuple[str, ...]) -> None:
    assert select_songs("medleydb", SONGS, only) == chosen


def test_what_fits_no_song_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"no song fits 'Torres_NewSkinn'; did you mean 'Torres_NewSkin'\?"):
        select_songs("medleydb", SONGS, ["Torres_NewSkinn"])
    with pytest.raises(ConfigError, match="no song fits 'evaluation'; none of its 24 songs is there"):
        select_songs("medleydb", SONGS[1:2], ["evaluation"])
