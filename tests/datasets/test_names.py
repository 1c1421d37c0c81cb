"""Names of songs and tracks that work as names of files and nodes."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixgraph.datasets.names import label, numbered, safe, song_ids
from mixgraph.errors import SongError


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Johnny Lokke - Promises & Lies", "Johnny_Lokke_-_Promises_Lies"),
        ("M.E.R.C. Music - Knockout", "M_E_R_C_Music_-_Knockout"),
        ("../etc", "etc"),
        ("Bjo\u0308rk", "Bj\u00f6rk"),
        ("FriendzWorldMusic_Triba-Bao-Kuku", "FriendzWorldMusic_Triba-Bao-Kuku"),
    ],
)
def test_safe_names(text: str, name: str) -> None:
    assert safe(text) == name
    assert safe(name) == name


def test_labels_are_short() -> None:
    kinds = ["brass (trumpet, horn)", "fx/processed sound, scratches", "Electric Guitar (jazz)", "a-tonal percussion"]
    assert [label(kind) for kind in kinds] == ["brass", "fx_processed_sound", "electric_guitar", "a-tonal_percussion"]


def test_repeated_names_are_numbered_once_each() -> None:
    assert numbered(["a", "b", "a", "a_2", "a"]) == ["a", "b", "a_2", "a_2_2", "a_3"]


def test_two_songs_of_one_id_are_refused() -> None:
    one, other = Path("train/Song A"), Path("test/song_a")
    with pytest.raises(SongError, match=r"^test/song_a: has the id 'song_a' like train/Song A; rename"):
        song_ids([one, other])
    assert song_ids([other, Path("train/B")], lambda place: place.name * 2) == {
        "song_asong_a": other,
        "BB": Path("train/B"),
    }
