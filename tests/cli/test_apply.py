"""`mixgraph apply`, and the other commands on what it makes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import soundfile

from mixgraph.cli import main
from mixgraph.cli.commands.apply import LEVELS
from mixgraph.errors import OutputError
from mixgraph.export.base import EXPORTS
from mixgraph.presets.levels import MODES
from mixgraph.result.result import Result
from tests.cli.test_errors import fails

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def stems(song: Path) -> Path:
    """Stems without a mix and without a song.toml, under names of their own."""
    (song / "mix.wav").unlink()
    (song / "song.toml").unlink()
    (song / "tracks/bass.wav").rename(song / "tracks/Sub Bass.wav")
    (song / "tracks/voice.wav").rename(song / "tracks/Zither.wav")
    return song


def test_the_flag_knows_the_modes() -> None:
    assert LEVELS == MODES


def test_what_it_makes_is_a_result_for_the_other_commands(finished: Path, song: Path, tmp_path: Path, capsys: Capture):
    out, wav = tmp_path / "out", tmp_path / "mix.wav"
    assert main(["apply", str(finished), str(song), "-o", str(out)]) == 0
    printed = capsys.readouterr().out
    for part in ("bass", "name", "band", "+0.0 dB", "plain sum of the tracks", f"result in {out}"):
        assert part in printed
    assert (out / "report.html").is_file()
    assert main(["show", str(out)]) == 0 and "found on tiny" in capsys.readouterr().out
    assert main(["render", str(out), "-o", str(wav)]) == 0
    assert main(["evaluate", str(out), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["loss"]["target"] == pytest.approx(said["stored"]["target"])
    stored = json.loads((finished / "metrics.json").read_text())["loss"]["pruned"]["target"]
    assert said["loss"]["target"] == pytest.approx(stored, rel=1e-3)


def test_stems_without_a_mix(finished: Path, stems: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "out"
    assert main(["apply", str(finished), str(stems), "-o", str(out), "--no-report"]) == 0
    printed = capsys.readouterr().out
    assert "no loss: the song has no mix" in printed and "none" in printed
    assert main(["show", str(out)]) == 0 and "no loss" in capsys.readouterr().out
    assert main(["report", str(out)]) == 0
    assert main(["render", str(out), "-o", str(tmp_path / "mix.wav")]) == 0
    fails(["evaluate", str(out)], capsys, "mix")
    rendered, rate = soundfile.read(tmp_path / "mix.wav")
    assert rate == Result.load(out).config.audio.sample_rate and rendered.any()


@pytest.mark.parametrize("format", list(EXPORTS))
def test_what_it_makes_is_exported(format: str, finished: Path, stems: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "out"
    assert main(["apply", str(finished), str(stems), "-o", str(out), "--no-report"]) == 0
    capsys.readouterr()
    assert main(["export", str(out), "--to", format, "-o", str(tmp_path / "export"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)["processors"]
    assert [fate["id"] for fate in said] == [node.id for node in Result.load(out).graph.processors]


def test_a_mapping_is_written_edited_and_used(finished: Path, stems: Path, tmp_path: Path, capsys: Capture) -> None:
    out, file = tmp_path / "out", tmp_path / "map.toml"
    assert main(["apply", str(finished), str(stems), "--write-map", str(file)]) == 0
    assert not out.exists() and str(file) in capsys.readouterr().out
    file.write_text(file.read_text().replace('Zither = ""', 'Zither = "voice"'))
    command = ["apply", str(finished), str(stems), "-o", str(out), "--map", str(file), "--map", "=drums", "--json"]
    assert main([*command, "--no-report", "--level", "off"]) == 0
    said = json.loads(capsys.readouterr().out)
    chains = {track: one["chain"] for track, one in said["tracks"].items()}
    assert chains == {"Sub Bass": "bass", "Zither": "voice", "drums": None} and said["gains_db"] == {}
    assert said["metrics"]["loss"] == {}
    assert Result.load(out).provenance["applied"]["chains"] == chains


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ([], ("-o OUT", "--write-map")),
        (["-o", "{}/out", "--map", "nowhere.toml"], ("nowhere.toml", "no such file")),
        (["-o", "{}/out", "--map", "voice=Kick"], ("'Kick'", "tracks")),
        (["-o", "{}/out", "--map", "voic=Zither"], ("'voic'", "did you mean 'voice'")),
        (["-o", "{}/out", "--only", "Zither"], ("'Zither'", "say track:Zither or subgroup:Zither")),
        (["-o", "{}/song"], ("song", "exists already")),
        (["-o", "{}/nowhere/map", "--write-map", "{}/nowhere/map.toml"], ("nowhere", "create it first")),
        (["-o", "{}/out", "--level", "loud"], ("--level", "keep")),
    ],
)
def test_mistakes(flags, named, finished: Path, stems: Path, tmp_path: Path, capsys: Capture) -> None:
    before = {path: path.stat().st_mtime for path in tmp_path.rglob("*")}
    given = [flag.format(tmp_path) for flag in flags]
    fails(["apply", str(finished), str(stems), *given], capsys, *named)
    assert {path: path.stat().st_mtime for path in tmp_path.rglob("*")} == before


def test_a_failure_leaves_nothing(
    finished: Path, song: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OutputError("the disk is full")

    monkeypatch.setattr(Result, "save", full)
    assert main(["apply", str(finished), str(song), "-o", str(tmp_path / "out"), "--no-report"]) == 2
    # Perhaps below a warning that the mix is clipped.
    assert capsys.readouterr().err.endswith("mixgraph: error: the disk is full\n")
    assert not list(tmp_path.glob("out*"))


def test_loudness_is_measured_where_the_search_did_not_note_it(
    result_copy: Path, finished: Path, stems: Path, tmp_path: Path, capsys: Capture
) -> None:
    path = result_copy / "provenance.json"
    provenance = json.loads(path.read_text())
    noted = provenance.pop("track_lufs")
    path.write_text(json.dumps(provenance))
    assert main(["apply", str(finished), str(stems), "-o", str(tmp_path / "one"), "--no-report"]) == 0
    assert main(["apply", str(result_copy), str(stems), "-o", str(tmp_path / "two"), "--no-report"]) == 0
    one, two = (Result.load(tmp_path / name).provenance["applied"]["gains_db"] for name in ("one", "two"))
    assert one == pytest.approx(two) and set(noted) == {"bass", "drums", "voice"}
    provenance["song_folder"] = str(tmp_path / "gone")
    path.write_text(json.dumps(provenance))
    command = ["apply", str(result_copy), str(stems), "-o", str(tmp_path / "three")]
    fails(command, capsys, "gone", "--level off")
    assert main([*command, "--level", "off", "--no-report"]) == 0
