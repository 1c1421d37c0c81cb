"""What holds for every registered dataset, on tiny trees of the exact layout; on real ones where they are at hand."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from mixgraph.audio.song import load_layout
from mixgraph.audio.song_file import Layout
from mixgraph.datasets.base import DATASETS, Entry, open_dataset
from mixgraph.datasets.survey import examine
from mixgraph.errors import SongError
from tests.audio.folders import RATE
from tests.datasets.conftest import Tiny
from tests.datasets.trees import TREES

SAFE = re.compile(r"[\w-]+")
STATEMENTS = ("title", "citation", "licence", "url", "tree", "how_to_get", "variable")


def lawful(entries: Iterable[Entry]) -> None:
    """What every list of entries must be."""
    entries = list(entries)
    ids = [entry.id for entry in entries]
    assert ids == sorted(ids)
    assert len({song.casefold() for song in ids}) == len(ids)
    for entry in entries:
        layout = entry.layout
        assert SAFE.fullmatch(entry.id)
        assert entry.licence
        assert entry.title
        assert layout.tracks
        grouped = [track for tracks in layout.subgroups.values() for track in tracks]
        assert len(set(grouped)) == len(grouped)
        assert set(grouped) <= set(layout.tracks)
        assert {*layout.tracks.values(), *([layout.mix] if layout.mix else [])} <= set(layout.files)
        again = Layout.from_json(layout.to_json())
        assert again.subgroups == layout.subgroups
        for before, after in zip(layout.files, again.files, strict=True):
            assert after.resolve() == before.resolve()


def test_every_dataset_has_a_tiny_tree() -> None:
    assert {tree.dataset for tree in TREES.values()} == set(DATASETS)


@pytest.mark.parametrize("name", DATASETS)
def test_a_dataset_says_what_it_is(name: str) -> None:
    kind = DATASETS[name]
    assert all(getattr(kind, statement).strip() for statement in STATEMENTS)
    assert kind.tree.startswith("ROOT/")
    others = [other.variable for other in DATASETS.values() if other is not kind]
    assert kind.variable not in others


def test_entries_are_lawful(tiny: Tiny) -> None:
    lawful(tiny.dataset.entries())


def test_what_is_known_before_audio_is_read(tiny: Tiny) -> None:
    entries = {entry.id: entry for entry in tiny.dataset.entries()}
    assert set(entries) == set(tiny.songs)
    for song, expected in tiny.songs.items():
        entry = entries[song]
        assert list(entry.layout.tracks) == list(expected.tracks)
        assert entry.layout.subgroups == expected.subgroups
        assert entry.grouping == "given"
        assert entry.title == (expected.title or song)
        assert (entry.artist, entry.aligned, entry.remarks) == (expected.artist, expected.aligned, expected.remarks)


def test_songs_load_to_the_right_samples(tiny: Tiny) -> None:
    for entry in tiny.dataset.entries():
        expected = tiny.songs[entry.id]
        entry.prepare()
        with load_layout(entry.layout, sample_rate=RATE) as song:
            for name, samples in expected.tracks.items():
                heard = song.track_segment(0, samples.shape[1], [name])[0]
                assert np.linalg.norm(heard - samples) <= tiny.tree.tolerance * np.linalg.norm(samples)
            assert song.has_mix == (expected.mix is not None)
            if expected.mix is not None:
                np.testing.assert_array_equal(song.mix(), expected.mix)


def test_only_datasets_with_mixes_have_mixes(tiny: Tiny) -> None:
    assert tiny.dataset.has_mix == any(entry.layout.mix for entry in tiny.dataset.entries())


def test_no_audio_is_read_for_entries(tiny: Tiny) -> None:
    before = [(entry.id, entry.title, *entry.layout.tracks) for entry in tiny.dataset.entries()]
    for suffix in (".wav", ".flac", ".mp4"):
        for file in tiny.dataset.root.rglob(f"*{suffix}"):
            file.write_bytes(b"no audio")
    again = open_dataset(tiny.tree.dataset, tiny.dataset.root)
    assert [(entry.id, entry.title, *entry.layout.tracks) for entry in again.entries()] == before


# In a stem file a song is one file: without it there is no song.
@pytest.mark.parametrize("tiny", sorted(set(TREES) - {"musdb18_stems"}), indirect=True)
def test_missing_audio_is_named(tiny: Tiny) -> None:
    first, second = tiny.dataset.songs
    missed = tiny.songs[second].audio
    missed.unlink()
    # A folder of songs has no list of its files; what its song.toml names is missed.
    named = tiny.songs[second].said if tiny.tree.dataset == "folder" else missed
    with pytest.raises(SongError, match=re.escape(missed.stem)) as raised:
        list(tiny.dataset.entries())
    assert str(raised.value).startswith(f"{named}: ")
    assert "\n" not in str(raised.value)
    assert examine(tiny.dataset, second).error == str(raised.value)
    assert not examine(tiny.dataset, first).error


@pytest.mark.parametrize("tiny", [name for name in TREES if not name.startswith("musdb18")], indirect=True)
@pytest.mark.parametrize("content", ["{ broken: [", "[1, 2]", "stems: 3\nsubgroups: 3\n", "\x00"])
def test_broken_metadata_is_named(tiny: Tiny, content: str) -> None:
    first, second = tiny.dataset.songs
    said = tiny.songs[second].said
    assert said
    said.write_text(content)
    with pytest.raises(SongError) as raised:
        list(tiny.dataset.entries())
    assert str(raised.value).startswith(f"{said}: ")
    assert "\n" not in str(raised.value)
    assert not examine(tiny.dataset, first).error


def test_the_folder_comes_from_the_environment(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tiny.dataset.variable, str(tiny.dataset.root))
    assert open_dataset(tiny.tree.dataset).songs == tiny.dataset.songs


@pytest.mark.parametrize("name", DATASETS)
def test_a_missing_folder_says_how_to_get_it(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = DATASETS[name]
    monkeypatch.delenv(kind.variable, raising=False)
    with pytest.raises(SongError, match=re.escape(f"set {kind.variable}. {kind.how_to_get}")):
        open_dataset(name)
    monkeypatch.setenv(kind.variable, str(tmp_path / "nowhere"))
    with pytest.raises(SongError, match=re.escape(kind.how_to_get)) as raised:
        open_dataset(name)
    assert str(raised.value).startswith(f"{tmp_path / 'nowhere'}: no such folder")


def test_an_unknown_song_is_refused_with_a_suggestion(tiny: Tiny) -> None:
    song = next(iter(tiny.dataset.songs))
    with pytest.raises(SongError, match=f"did you mean .*{re.escape(song)}"):
        tiny.dataset.entry(song[:-1])


@pytest.mark.parametrize("name", DATASETS)
def test_an_empty_folder_has_no_songs(name: str, tmp_path: Path) -> None:
    assert list(open_dataset(name, tmp_path).entries()) == []


@pytest.mark.real_dataset
@pytest.mark.parametrize("name", DATASETS)
def test_a_real_dataset_keeps_the_contract(name: str) -> None:
    if not os.environ.get(DATASETS[name].variable):
        pytest.skip(f"set {DATASETS[name].variable} to a copy of {name}")
    dataset = open_dataset(name)
    assert dataset.songs
    reports = [examine(dataset, song) for song in dataset.songs]
    entries = [report.entry for report in reports if report.entry]
    assert len(entries) > 0.9 * len(reports), [report.error for report in reports if report.error][:5]
    lawful(entries)
    seconds = {report.id: report.headers.seconds for report in reports if report.headers}
    entry = dataset.entry(min(seconds, key=seconds.__getitem__))
    entry.prepare()
    with load_layout(entry.layout, sample_rate=30_000) as song:
        assert song.samples == pytest.approx(30_000 * seconds[entry.id], abs=1)
        assert song.has_mix == (entry.layout.mix is not None)
        assert np.isfinite(song.track(song.tracks[0])).all()
