"""What the commands write and print."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from rich.console import Console

from mixgraph.cli import main
from mixgraph.cli.commands import demo
from mixgraph.cli.searching import watching
from mixgraph.result.result import Result
from mixgraph.run.events import Progress
from tests.cli.tiny import SETTINGS, same_bytes, write_song
from tests.engine import RATE

Capture = pytest.CaptureFixture[str]


def test_search_prints_json_lines(song: Path, settings: Path, tmp_path: Path, finished: Path, capsys: Capture) -> None:
    output = tmp_path / "out"
    assert main(["search", str(song), "-o", str(output), "--config", str(settings), "--json"]) == 0
    out, err = capsys.readouterr()
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["event"] for line in lines] == ["progress"] * (len(lines) - 1) + ["result"]
    stages = list(dict.fromkeys((line["stage"], line["round"]) for line in lines[:-1]))
    assert stages == [("console", 0), ("prune", 1), ("fine_tune", 1), ("prune", 2), ("fine_tune", 2), ("finish", 2)]
    assert lines[-1]["output"] == str(output)
    assert lines[-1]["loss"] == json.loads((output / "metrics.json").read_text())["loss"]
    assert all(line.startswith("info: ") or line.startswith("warning: ") for line in err.splitlines())
    same_bytes(output, finished)


def test_search_ends_with_a_summary(song: Path, settings: Path, tmp_path: Path, capsys: Capture) -> None:
    output = tmp_path / "out"
    command = ["-o", str(output), "--config", str(settings), "--console-steps", "2", "--fine-tune-steps", "1"]
    assert main(["search", str(song), *command]) == 0
    out, err = capsys.readouterr()
    result = Result.load(output)
    kept = result.metrics["processors"]["kept"]["total"]
    for part in (f"{kept} of 20 processors kept", "full console", f"result in {output}"):
        assert part in out
    for convention in ("target", "published"):
        assert f"{result.metrics['loss']['pruned'][convention]:.3f}" in out
    assert "pruning 2/2: " in err and "track bass: 8.00 s" in err
    assert result.provenance["song_folder"] == str(song)


def test_console_prunes_nothing(song: Path, settings: Path, tmp_path: Path, capsys: Capture) -> None:
    output = tmp_path / "out"
    assert main(["console", str(song), "-o", str(output), "--config", str(settings), "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert Result.load(output).metrics["processors"]["kept"]["total"] == 20


def test_render_gives_the_mix_that_the_search_wrote(finished: Path, tmp_path: Path) -> None:
    output = tmp_path / "mix.flac"
    assert main(["render", str(finished), "-o", str(output)]) == 0
    assert output.read_bytes() == (finished / "mix.flac").read_bytes()


def test_stems_add_up_to_the_mix(finished: Path, tmp_path: Path) -> None:
    assert main(["render", str(finished), "-o", str(tmp_path / "mix.wav")]) == 0
    for _ in range(2):
        assert main(["render", str(finished), "-o", str(tmp_path / "stems"), "--stems", "--overwrite"]) == 0
    files = sorted((tmp_path / "stems").iterdir())
    assert [file.name for file in files] == ["band.flac", "voice.flac"]
    stems = [soundfile.read(file)[0] for file in files]
    # A clipped sample would not add up.
    whole = np.all([np.abs(stem) < 0.999 for stem in stems], axis=0)
    mix = soundfile.read(tmp_path / "mix.wav")[0]
    np.testing.assert_allclose(np.sum(stems, axis=0)[whole], mix[whole], atol=2e-6)
    assert whole.mean() > 0.9


def test_subgroups_whose_names_differ_by_a_slash_get_a_file_each(settings: Path, tmp_path: Path) -> None:
    song = write_song(tmp_path / "song")
    (song / "song.toml").write_text('[subgroups]\n"a/b" = ["bass"]\na_b = ["drums", "voice"]\n')
    fit = ["--config", str(settings), "--console-steps", "0"]
    assert main(["console", str(song), "-o", str(tmp_path / "console"), *fit]) == 0
    assert main(["render", str(tmp_path / "console"), "-o", str(tmp_path / "stems"), "--stems"]) == 0
    assert sorted(file.name for file in (tmp_path / "stems").iterdir()) == ["a_b.flac", "a_b_2.flac"]


def test_stems_replace_stems_only(finished: Path, tmp_path: Path, capsys: Capture) -> None:
    music = tmp_path / "music"
    music.mkdir()
    (music / "album.flac").write_bytes(b"mine")
    assert main(["render", str(finished), "-o", str(music), "--stems", "--overwrite"]) == 2
    assert "album.flac, which is no stem of this result" in capsys.readouterr().err
    assert [(path.name, path.read_bytes()) for path in tmp_path.rglob("*.*")] == [("album.flac", b"mine")]


def test_solo_and_sample_rate(finished: Path, tmp_path: Path) -> None:
    song = finished.parent / "song"
    for name, rate in (("track.wav", RATE), ("fast.wav", 3 * RATE)):
        flags = ["--solo", "track:voice", "--sample-rate", str(rate)]
        assert main(["render", str(finished), str(song), "-o", str(tmp_path / name), *flags]) == 0
    samples, rate = soundfile.read(tmp_path / "track.wav", dtype="float32")
    np.testing.assert_array_equal(samples, soundfile.read(song / "tracks" / "voice.wav", dtype="float32")[0])
    fast, fast_rate = soundfile.read(tmp_path / "fast.wav", dtype="float32")
    assert (rate, fast_rate, len(fast)) == (RATE, 3 * RATE, 3 * len(samples))
    # Below the old limit of frequency the spectrum is the same, above it there is nothing.
    spectrum = np.abs(np.fft.rfft(fast[:, 0])) / 3
    old = np.abs(np.fft.rfft(samples[:, 0]))
    half = len(old) // 2
    np.testing.assert_allclose(spectrum[:half], old[:half], atol=0.02 * old.max())
    assert spectrum[int(1.1 * len(old)) :].max() < 1e-3 * old.max()


def test_evaluate_measures_what_is_stored(finished: Path, capsys: Capture) -> None:
    assert main(["evaluate", str(finished), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    stored = json.loads((finished / "metrics.json").read_text())["loss"]["pruned"]
    assert document["stored"] == stored
    assert document["loss"]["target"] == pytest.approx(stored["target"], rel=1e-6)
    assert document["loss"]["channels"]["side"] == pytest.approx(stored["channels"]["side"], rel=1e-6)
    assert main(["evaluate", str(finished)]) == 0
    out = capsys.readouterr().out
    row = next(line.split() for line in out.splitlines() if line.startswith("total"))
    assert row[1:] == [f"{stored[name]:.4f}" for name in ("target", "target", "published", "published")]


def test_init_writes_what_search_reads(song: Path, capsys: Capture) -> None:
    assert main(["init", str(song)]) == 2
    assert "song.toml: exists already" in capsys.readouterr().err
    assert main(["init", str(song), "--overwrite"]) == 0
    out = capsys.readouterr().out
    assert "3 tracks, mix mix.wav" in out and f"written to {song / 'song.toml'}" in out
    assert all(track in out for track in ("bass", "drums", "voice"))


def test_demo_compares_what_was_found_with_what_was_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    pytest.importorskip("pedalboard", reason="the demo song needs the extra `demo`")
    pytest.importorskip("av", reason="the demo song needs the extra `demo`")
    sections = tomllib.loads(SETTINGS)
    sections["console"]["chain"] = "eg"
    monkeypatch.setattr(demo, "CHANGES", sections)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(tmp_path)
    assert main(["demo"]) == 0
    out = capsys.readouterr().out
    assert "HighpassFilter: cutoff frequency hz 60" in out and "result in demo-result" in out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demo-result", "demo-song"]
    assert main(["demo", "-q"]) == 2
    assert "demo-result: exists already" in capsys.readouterr().err
    assert main(["evaluate", "demo-result", "--json"]) == 0
    assert main(["demo", "-q", "--overwrite"]) == 0


def test_json_progress_is_throttled_but_for_stages(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("mixgraph.cli.searching.time", SimpleNamespace(monotonic=lambda: now))
    seen: list[dict[str, Any]] = []
    with watching(Console(), quiet=False, as_json=True) as watch:
        for stage in ("console", "prune"):
            for step in range(30):
                now += 0.1
                watch(Progress(stage, 0, 1, step, 30, 1.0, 5, None))
    seen = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["stage"], line["step"]) for line in seen if line["step"] == 0] == [("console", 0), ("prune", 0)]
    assert 10 <= len(seen) <= 14


def test_keeping_memory_is_harmless() -> None:
    from mixgraph.memory import keep_memory

    assert keep_memory() in ((True, False) if sys.platform.startswith("linux") else (False,))
    assert np.ones(1 << 22).sum() == 1 << 22
