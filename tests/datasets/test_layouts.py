"""What single datasets say beyond the contract: places of metadata, licences, guesses and offsets."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import yaml

from mixgraph.audio.song import load_song
from mixgraph.datasets.base import open_dataset
from mixgraph.datasets.metadata import read_metadata
from mixgraph.datasets.survey import examine
from mixgraph.errors import SongError
from tests.audio.folders import RATE, song_folder, tone, write
from tests.datasets.trees import TREES, medleydb


def test_licence_and_truth_of_a_folder_of_songs(tmp_path: Path) -> None:
    song_folder(tmp_path / "one")
    song_folder(tmp_path / "two")
    entries = {entry.id: entry for entry in open_dataset("folder", tmp_path).entries()}
    assert {entry.licence for entry in entries.values()} == {"unknown"}
    (tmp_path / "LICENCE").write_text("MIT License\n")
    (tmp_path / "two" / "LICENSE.md").write_text("\n## CC0 1.0\n")
    (tmp_path / "two" / "truth").mkdir()
    entries = {entry.id: entry for entry in open_dataset("folder", tmp_path).entries()}
    assert (entries["one"].licence, entries["one"].truth) == ("MIT License", None)
    assert (entries["two"].licence, entries["two"].truth) == ("CC0 1.0", tmp_path / "two" / "truth")


def test_a_damaged_truth_is_its_songs_fault_alone(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (song_folder(tmp_path / name) / "truth").mkdir()
    (tmp_path / "two" / "truth" / "provenance.json").write_text("{")
    dataset = open_dataset("folder", tmp_path)
    assert not examine(dataset, "one").error
    assert examine(dataset, "two").error.startswith(f"{tmp_path / 'two/truth/provenance.json'}: cannot be read as JSON")


def test_a_folder_of_songs_reads_songs_as_a_search_does(tmp_path: Path) -> None:
    folder = song_folder(tmp_path / "one", '[offsets]\nvox = 100\n[subgroups]\ndrums = ["kick", "snare"]')
    (entry,) = open_dataset("folder", tmp_path).entries()
    with load_song(folder, sample_rate=RATE) as song:
        assert song.layout == entry.layout


@pytest.mark.parametrize("place", ["song", "root", "beside", "variable"])
def test_medleydb_finds_metadata(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "MedleyDB"
    songs = medleydb(root, parts=("", ""), metadata="elsewhere")
    for song, expected in songs.items():
        assert expected.said
        folder = {"song": root / song, "root": root / "Metadata", "beside": tmp_path / "Metadata"}.get(place)
        if folder:
            folder.mkdir(exist_ok=True)
            expected.said.rename(folder / expected.said.name)
    if place == "variable":
        monkeypatch.setenv("MEDLEYDB_METADATA", str(root / "elsewhere"))
    found = {entry.id: entry.layout.subgroups for entry in open_dataset("medleydb", root).entries()}
    assert found == {song: expected.subgroups for song, expected in songs.items()}


def test_medleydb_says_where_metadata_is_to_be_had(tmp_path: Path) -> None:
    medleydb(tmp_path, parts=("V1", "V2"), metadata="elsewhere")
    with pytest.raises(SongError, match=r"no LizNelson_Rainfall_METADATA.yaml there.*github.com/marl/medleydb"):
        open_dataset("medleydb", tmp_path).entry("LizNelson_Rainfall")


def mixing_secrets_song(root: Path) -> Path:
    place = root / "Band_Song"
    for name in ("01_Kick", "02_Snare", "03_Fuzz"):
        write(place / "raw" / f"{name}.wav", tone())
    write(place / "mix.wav", tone())
    return place


def test_mixing_secrets_guesses_subgroups_where_none_are_given(tmp_path: Path) -> None:
    place = mixing_secrets_song(tmp_path)
    (entry,) = open_dataset("mixing_secrets", tmp_path).entries()
    assert (entry.layout.subgroups, entry.grouping) == ({"drums": ("01_Kick", "02_Snare")}, "guessed")
    again = entry.regrouped({"fuzz": "guitars"})
    assert again.layout.subgroups == {"drums": ("01_Kick", "02_Snare"), "guitars": ("03_Fuzz",)}
    (place / "subgroups.yml").write_text(yaml.safe_dump({"All": ["01_Kick.wav", "03_Fuzz.wav"]}))
    (entry,) = open_dataset("mixing_secrets", tmp_path).entries()
    assert (entry.layout.subgroups, entry.grouping) == ({"All": ("01_Kick", "03_Fuzz")}, "given")
    assert list(entry.layout.tracks) == ["01_Kick", "03_Fuzz"]


def test_mixing_secrets_needs_an_offset_to_be_aligned(tmp_path: Path) -> None:
    place = mixing_secrets_song(tmp_path)
    dataset = open_dataset("mixing_secrets", tmp_path)
    assert not dataset.entry("Band_Song").aligned
    (place / "alignment.json").write_text(json.dumps({"offset_seconds": 0.25}))
    entry = dataset.entry("Band_Song")
    assert entry.aligned
    assert {offset.at(44_100, RATE) for offset in entry.layout.offsets.values()} == {RATE // 4}
    (place / "alignment.json").write_text(json.dumps({"offset": 0.25}))
    with pytest.raises(SongError, match=r"alignment.json: offset_seconds: field required; correct that place"):
        dataset.entry("Band_Song")


def _second_mix(place: Path) -> None:
    (place / "mix.wav").rename(place / "a.wav")
    write(place / "b.wav", tone())


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda place: (place / "mix.wav").unlink(), "Band_Song: no mix; put the finished mix there as mix.wav"),
        (_second_mix, r"more than one mix \(a.wav, b.wav\)"),
        (lambda place: (place / "raw").rename(place / ".raw"), r"one folder of raw tracks is expected there \(none"),
        (lambda place: write(place / "extra" / "a.wav", tone()), r"expected there \(extra, raw found\); keep one"),
        (
            lambda place: write(place / "raw" / "02_Snare.flac", tone()),
            r"raw: two tracks have the same name; rename one",
        ),
        (
            lambda place: (place / "subgroups.yaml").write_text("A: [01_Kick.wav]\nB: [02_Snare.wav, 01_Kick.wav]"),
            r"subgroups.yaml: track '01_Kick' is in 'A' and in 'B'; keep it once",
        ),
        (
            lambda place: (place / "alignment.yaml").write_text("offset_seconds: .nan"),
            r"alignment.yaml: offset_seconds: .* finite number; correct that place",
        ),
    ],
)
def test_mixing_secrets_refuses(spoil, message: str, tmp_path: Path) -> None:
    spoil(mixing_secrets_song(tmp_path))
    with pytest.raises(SongError, match=message):
        open_dataset("mixing_secrets", tmp_path).entry("Band_Song")


def test_slakh2100_takes_folders_for_songs_and_not_archives(tmp_path: Path) -> None:
    songs = TREES["slakh2100"].build(tmp_path)
    (tmp_path / "train" / "Track00009.tar.gz").touch()
    assert set(open_dataset("slakh2100", tmp_path).songs) == set(songs)


def test_musdb18_prefers_what_is_decoded_already(tmp_path: Path) -> None:
    TREES["musdb18_hq"].build(tmp_path)
    TREES["musdb18_stems"].build(tmp_path)
    entries = list(open_dataset("musdb18", tmp_path).entries())
    assert [entry.packed for entry in entries] == [None, None]


def test_instruments_are_understood_where_names_say_nothing(tmp_path: Path) -> None:
    medleydb(tmp_path, parts=("", ""), metadata=None)
    entry = open_dataset("medleydb", tmp_path).entry("LizNelson_Rainfall").regrouped()
    assert entry.layout.subgroups == {
        "drums": ("01_01_kick_drum", "01_02_snare_drum"),
        "fx": ("02_01_fx_processed_sound",),
        "vocals": ("03_01_male_singer", "03_02_female_singer_crowd"),
    }


def test_reading_yaml_says_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.yaml").write_text("a: [b]")
    assert read_metadata(tmp_path / "a.yaml", dict[str, list[str]]) == {"a": ["b"]}
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(SongError, match=r"a.yaml: reading YAML needs the package pyyaml; pip install"):
        read_metadata(tmp_path / "a.yaml", dict[str, list[str]])


def test_metadata_runs_no_code(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(f"!!python/object/apply:pathlib.Path.touch [{tmp_path / 'ran'}]")
    with pytest.raises(SongError, match="not valid YAML"):
        read_metadata(tmp_path / "a.yaml", dict[str, list[str]])
    assert not (tmp_path / "ran").exists()
