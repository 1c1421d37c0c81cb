"""What `mixgraph bench step` prints."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest

from mixgraph.bench import Cost, noise_song
from mixgraph.cli import main
from mixgraph.config import make_config
from mixgraph.dsp.fft import Plans
from mixgraph.fit.problem import Problem

SIZE = ["--tracks", "3", "--subgroups", "2", "--repeats", "2", "--warm-up", "1", "--threads", "1"]


def test_the_last_line_has_the_medians(settings: Path) -> None:
    # In a process of its own: it changes the allocator.
    command = [sys.executable, "-m", "mixgraph", "bench", "step", *SIZE, "--config", str(settings), "--json"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(run.stdout.splitlines()[-1])
    assert (found["tracks"], found["subgroups"], found["threads"]) == (3, 2, 1)
    for name in ("step_s", "segment_s"):
        assert len(found["times"][name]) == 2
        assert min(found["times"][name]) > 0
        assert found[name] == median(found["times"][name])
    assert 50 < found["before_mb"] < found["rss_mb"] < 4_000
    assert run.stderr == ""


def test_a_step_is_of_one_segment_whatever_the_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def measured(problem: Problem, *_: object, **__: object) -> Cost:
        seen.append(problem.config.fit.segments_per_step)
        return Cost((1.0,), (1.0,), 2.0, 1.0)

    monkeypatch.setattr("mixgraph.bench.measure", measured)
    assert make_config().fit.segments_per_step > 1
    assert main(["bench", "step", *SIZE, "--no-keep-memory"]) == 0
    assert seen == [1]


@pytest.mark.parametrize(("flags", "kept"), [([], True), (["--no-keep-plans"], False)])
def test_plans_of_ffts_are_kept_unless_told_otherwise(
    flags: list[str], kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []

    def measured(*_: object, **__: object) -> Cost:
        seen.append(Plans.kept)
        return Cost((1.0,), (1.0,), 2.0, 1.0)

    monkeypatch.setattr("mixgraph.bench.measure", measured)
    monkeypatch.setattr(Plans, "kept", not kept)
    assert main(["bench", "step", *SIZE, "--no-keep-memory", *flags]) == 0
    assert seen == [kept]


def test_a_table_without_json(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "step", *SIZE, "--config", str(settings), "--no-keep-memory"]) == 0
    out = capsys.readouterr().out
    for part in ("3 tracks, 2 subgroups, 1 s of noise", "training step", "segment", "peak memory"):
        assert part in out


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--subgroups", "4"], "3 tracks in 4 subgroups"),
        (["--tracks", "0"], "0 tracks in 2 subgroups"),
        (["--repeats", "0"], "0 repeats"),
        (["--threads", "0"], "--threads: 0"),
    ],
)
def test_impossible_sizes_are_refused(
    wrong: list[str], said: str, settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "step", *SIZE, *wrong, "--config", str(settings), "--no-keep-memory"]) == 2
    assert said in capsys.readouterr().err


def test_every_track_of_the_noise_is_in_one_subgroup() -> None:
    song = noise_song(5, 2, 0.1, 8_000)
    assert song.samples == 800
    assert sorted(track for members in song.subgroups.values() for track in members) == sorted(song.tracks)
    assert [len(members) for members in song.subgroups.values()] == [3, 2]
