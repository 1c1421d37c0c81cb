"""What every registered export promises."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import soundfile

from mixgraph.audio.song import Song
from mixgraph.console import build_console
from mixgraph.errors import ConfigError, OutputError, ResultError
from mixgraph.export.base import EXPORTS, about
from mixgraph.export.write import export_result
from mixgraph.result.result import Result
from tests.report.sample import SUBGROUPS, TRACKS, make_result, make_song

FORMATS = pytest.mark.parametrize("format", list(EXPORTS))


def song_for(format: str, song: Song) -> Song | None:
    """The song where the format needs one: others must do without."""
    return song if EXPORTS[format].needs_song else None


def contents(folder: Path) -> dict[str, bytes]:
    """Files by their names; of WAVs the samples, because libsndfile notes the time in those of floats."""
    return {
        path.relative_to(folder).as_posix(): soundfile.read(path)[0].tobytes()
        if path.suffix == ".wav"
        else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


@FORMATS
def test_every_processor_is_accounted_for(format: str, song: Song, result: Result, tmp_path: Path) -> None:
    fates = export_result(result, format, tmp_path / "out", song=song_for(format, song))
    assert [(fate.id, fate.type) for fate in fates] == [(node.id, node.type) for node in result.graph.processors]
    assert all(fate.how for fate in fates)
    written = json.loads((tmp_path / "out" / "fidelity.json").read_text())
    assert written["format"] == format
    assert [(row["id"], row["kept"], row["error_db"]) for row in written["processors"]] == [
        (fate.id, fate.kept, fate.error_db) for fate in fates
    ]
    table = (tmp_path / "out" / "fidelity.md").read_text()
    assert all(f"| {fate.id} | {fate.label} |" in table for fate in fates)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert len(contents(tmp_path / "out")) > 2


@FORMATS
def test_equal_results_give_equal_files(format: str, song: Song, result: Result, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        export_result(result, format, tmp_path / name / "out", song=song_for(format, song))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


@FORMATS
def test_a_graph_without_processors_is_exported(format: str, song: Song, tmp_path: Path) -> None:
    plain = make_result(song, build_console(song.tracks, {"band": ["bass", "drums"]}, ()))
    assert export_result(plain, format, tmp_path / "out", song=song_for(format, song)) == []


@FORMATS
def test_odd_names_are_kept_apart(format: str, tmp_path: Path) -> None:
    tracks = ("a/b <&>", 'a:b "x"', "ä — |", "../up")
    song = make_song(tracks, subgroups={"g/1 & <2>": tracks[:2]}, seconds=1.5, name="../odd <&> name")
    graph = build_console(song.tracks, song.subgroups, ("equalizer", "compressor", "gain_panning"))
    fates = export_result(make_result(song, graph), format, tmp_path / "deep" / "out", song=song_for(format, song))
    assert len(fates) == len(graph.processors)
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]


@FORMATS
def test_help_has_a_line_for_it(format: str) -> None:
    assert 20 < len(about(EXPORTS[format])) < 100


def test_only_exports_are_replaced(song: Song, result: Result, tmp_path: Path) -> None:
    output = tmp_path / "out"
    export_result(result, "impulse-responses", output)
    before = contents(output)
    with pytest.raises(OutputError, match="--overwrite"):
        export_result(result, "stems", output, song=song)
    with pytest.raises(ConfigError, match="unknown export format 'tape'; known: .*stems"):
        export_result(result, "tape", output, overwrite=True)
    assert contents(output) == before
    export_result(result, "stems", output, song=song, overwrite=True)
    assert not before.keys() - {"fidelity.md", "fidelity.json"} & contents(output).keys()
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "mine.wav").write_bytes(b"mine")
    with pytest.raises(OutputError, match="is no export of mixgraph"):
        export_result(result, "stems", tmp_path / "music", song=song, overwrite=True)


def test_a_failure_leaves_nothing(result: Result, tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="needs the song's audio"):
        export_result(result, "stems", tmp_path / "out")
    other = make_song(TRACKS[:2], subgroups={"band": SUBGROUPS["band"][:1]}, seconds=1.5)
    with pytest.raises(ResultError, match="has no track 'voice'"):
        export_result(result, "stems", tmp_path / "out", song=other)
    assert not list(tmp_path.iterdir())
