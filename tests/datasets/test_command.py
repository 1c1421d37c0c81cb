"""`mixgraph datasets`: what is known, what is there, what is missing."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mixgraph.cli import main
from mixgraph.datasets import medleydb
from mixgraph.datasets.base import DATASETS
from mixgraph.errors import SongError
from mixgraph.registry import Registry
from tests.audio.folders import song_folder, tone, write
from tests.datasets.conftest import Tiny
from tests.datasets.trees import TREES

DOCS = Path(__file__).resolve().parents[2] / "docs" / "datasets.md"


@pytest.fixture(autouse=True)
def a_wide_terminal_and_no_datasets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    for kind in DATASETS.values():
        monkeypatch.delenv(kind.variable, raising=False)


def said(capsys: pytest.CaptureFixture[str], *argv: str | Path) -> str:
    assert main(["datasets", *map(str, argv)]) == 0
    return capsys.readouterr().out


def as_json(capsys: pytest.CaptureFixture[str], *argv: str | Path) -> Any:
    return json.loads(said(capsys, *argv, "--json"))


def test_all_datasets_are_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    song_folder(tmp_path / "songs" / "one")
    monkeypatch.setenv("MIXGRAPH_SONGS", str(tmp_path / "songs"))
    monkeypatch.setenv("MUSDB_PATH", str(tmp_path / "nowhere"))
    known = {dataset["name"]: dataset for dataset in as_json(capsys)}
    assert set(known) == set(DATASETS)
    assert (known["folder"]["there"], known["folder"]["songs"]) == (True, 1)
    assert (known["musdb18"]["there"], known["musdb18"]["songs"]) == (False, 0)
    assert {name for name, dataset in known.items() if not dataset["has_mix"]} == {"moisesdb", "musdb18", "slakh2100"}
    text = said(capsys)
    assert all(name in text and DATASETS[name].title in text for name in DATASETS)


def test_about_needs_no_folder(capsys: pytest.CaptureFixture[str]) -> None:
    text = " ".join(said(capsys, "slakh2100", "--about").split())
    assert "dry sources for mixes with a known graph" in text
    assert "Track00001/ metadata.yaml" in text
    assert "SLAKH2100_PATH" in text


def test_every_tiny_dataset_is_shown(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    shown = as_json(capsys, tiny.tree.dataset, tiny.dataset.root)
    assert [song["id"] for song in shown["songs"]] == list(tiny.dataset.songs)
    assert shown["usable"] == 2
    assert shown["has_mix"] == tiny.dataset.has_mix
    for song in shown["songs"]:
        expected = tiny.songs[song["id"]]
        assert song["tracks"] == list(expected.tracks)
        assert {group: tuple(tracks) for group, tracks in song["subgroups"].items()} == expected.subgroups
        assert song["seconds"] == 0.5
    text = said(capsys, tiny.tree.dataset, tiny.dataset.root)
    assert all(song[:12] in text for song in tiny.dataset.songs)
    assert ("known graph" in text) == (not tiny.dataset.has_mix)


def test_missing_evaluation_songs_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    TREES["medleydb"].build(tmp_path)
    for name in ("V1", "MusicDelta_Hendrix", "MusicDelta_Hendrix/MusicDelta_Hendrix_RAW"):
        (tmp_path / name).mkdir()
    shown = as_json(capsys, "medleydb", tmp_path)
    assert len(shown["missing_evaluation_songs"]) == 23
    assert "MusicDelta_Hendrix" not in shown["missing_evaluation_songs"]
    assert "no MusicDelta_Hendrix_METADATA.yaml there" in shown["songs"][1]["error"]
    assert shown["usable"] == 2
    assert "23 of the paper's 24 evaluation songs are missing: " in said(capsys, "medleydb", tmp_path)
    only = as_json(capsys, "medleydb", tmp_path, "--only", "evaluation")
    assert [song["id"] for song in only["songs"]] == ["MusicDelta_Hendrix"]


def test_subgroups_are_shown_before_they_are_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    song_folder(tmp_path / "Band_Song" / "raw", tracks=("01_Kick", "02_Boom"))
    (tmp_path / "Band_Song" / "raw" / "mix.wav").rename(tmp_path / "Band_Song" / "mix.wav")
    (tmp_path / "groups.toml").write_text('drums = ["boom"]')
    assert "guessed: drums 1" in " ".join(said(capsys, "mixing_secrets", tmp_path).split())
    with_words = said(capsys, "mixing_secrets", tmp_path, "--groups", tmp_path / "groups.toml", "--subgroups")
    assert "guessed: drums 01_Kick, 02_Boom" in " ".join(with_words.split())


def test_audio_is_read_only_to_check_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = song_folder(tmp_path / "one")
    write(folder / "tracks" / "snare.wav", 0 * tone())
    assert as_json(capsys, "folder", tmp_path)["songs"][0]["problems"] == []
    assert "silent: snare" in as_json(capsys, "folder", tmp_path, "--check")["songs"][0]["problems"]
    assert "silent: snare" in said(capsys, "folder", tmp_path, "--check")


def test_an_empty_folder_shows_how_songs_should_lie(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "moisesdb", tmp_path)
    assert "No song was found. They should lie like this:" in text
    assert DATASETS["moisesdb"].tree in text


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["nope"], "unknown dataset 'nope'; known: folder, medleydb"),
        (["medleydb"], "medleydb: no folder given; name it, or set MEDLEYDB_PATH. Ask for the audio at"),
        (["folder", "nowhere"], "nowhere: no such folder, and folder should be there"),
        (["folder", ".", "--only", "evaluation"], "folder has no evaluation songs"),
    ],
)
def test_mistakes_are_one_line(argv: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["datasets", *argv]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"mixgraph: error: {message}")
    assert said.err.count("\n") == 1


def test_the_docs_name_every_dataset_and_its_variable() -> None:
    text = DOCS.read_text(encoding="utf-8")
    for name, kind in DATASETS.items():
        assert f"`{name}`" in text
        assert f"`{kind.variable}`" in text


def test_the_recipe_in_the_docs_is_a_dataset(tmp_path: Path) -> None:
    (recipe,) = re.findall(r"```python\n(@final.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    names = {**vars(medleydb), "DATASETS": Registry("dataset", "mixgraph.datasets")}
    exec(recipe, names)
    for name in ("dry", "wet"):
        write(tmp_path / "One" / f"{name}.wav", tone())
    (entry,) = names["Pairs"](tmp_path).entries()
    assert (entry.id, list(entry.layout.tracks), entry.layout.mix) == ("One", ["dry"], tmp_path / "One" / "wet.wav")
    (tmp_path / "One" / "dry.wav").unlink()
    with pytest.raises(SongError, match="dry.wav: no such audio file, but One needs it"):
        names["Pairs"](tmp_path).entry("One")
