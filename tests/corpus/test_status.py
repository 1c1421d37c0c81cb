"""What is said of a corpus is what is there."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from mixgraph.cli import main
from mixgraph.cli.overview import view, watching_songs
from mixgraph.corpus.claims import claim
from mixgraph.corpus.folder import Corpus, State
from mixgraph.corpus.status import Overview, overview
from tests.corpus.searches import SETTINGS

Capture = pytest.CaptureFixture[str]


def test_a_search_whose_process_is_gone_waits(broken: Corpus) -> None:
    state = State("running", 1, "prune 2/4", seconds_left=60.0, host="elsewhere", pid=1)
    broken.set_state("ash", state)
    assert broken.state("ash") == replace(state, status="waiting", seconds_left=None)
    with claim(broken.lock_file("ash")):
        assert broken.state("ash") == state
        assert overview(broken, broken.songs).running == {"ash": state}
    assert overview(broken, broken.songs).counts["waiting"] == 3


def test_a_result_is_done_and_a_lost_one_is_not(broken: Corpus) -> None:
    broken.result_folder("ash").mkdir()
    broken.set_state("ash", State("failed", error="said too early"))
    broken.set_state("birch", State("done", 1))
    assert broken.state("ash").status == "done" and not broken.state("ash").error
    assert broken.state("birch").status == "waiting"


def test_time_left_counts_tracks() -> None:
    states = {
        "done": State("done", 1, began=100.0, ended=140.0),
        "resumed": State("done", 3, began=100.0, ended=101.0),
        "running": State("running", 1, seconds_left=30.0),
        "loading": State("running", 1),
        "waiting": State(),
    }
    found = Overview(states, {"done": 4, "resumed": 50, "running": 9, "loading": 3, "waiting": 6})
    # 10 s per track, of the one song that tells: 30 + 3 * 10 + 6 * 10, two at once.
    assert found.seconds_left == pytest.approx(60.0)
    assert Overview({"waiting": State()}, {"waiting": 1}).seconds_left is None


def test_the_command_tells_people_and_programs(broken: Corpus, capsys: Capture) -> None:
    broken.set_state("ash", State("failed", 1, "loading", error="no sound in [bass]"))
    assert main(["corpus", "status", str(broken.folder)]) == 0
    out, _ = capsys.readouterr()
    for part in ("1/3", "0 done, 1 failed, 2 waiting", "loading", "no sound in [bass]"):
        assert part in out
    assert main(["corpus", "status", str(broken.folder), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["songs"] == {"waiting": 2, "running": 0, "done": 0, "failed": 1}
    assert said["failed"] == {"ash": "no sound in [bass]"}
    assert said["states"]["ash"]["attempts"] == 1 and said["states"]["birch"]["status"] == "waiting"
    assert main(["corpus", "status", str(broken.folder / "nowhere")]) == 2


def test_progress_names_each_song_once() -> None:
    tracks = {"ash": 3, "birch": 3}
    before = Overview({"ash": State("done", 1), "birch": State()}, tracks)
    during = Overview({"ash": State("done", 1), "birch": State("running", 1, "prune 1/4", seconds_left=75.0)}, tracks)
    after = Overview({"ash": State("done", 1), "birch": State("failed", 1, "prune 1/4", error="too [bold]")}, tracks)
    console = Console(file=io.StringIO(), width=100)
    with watching_songs(console, quiet=False, as_json=False) as watch:
        for found in (before, during, during, after, after):
            watch(found)
    assert console.file.getvalue() == "birch: failed: too [bold] (1 done, 1 failed)\n"  # type: ignore[attr-defined]
    console.print(view(during))
    drawn = console.file.getvalue()  # type: ignore[attr-defined]
    for part in ("1/2", "1 done, 1 running", "birch", "pruning 1/4", "1:15 left"):
        assert part in drawn


@pytest.mark.parametrize("as_json", [False, True], ids=["people", "programs"])
def test_a_build_ends_with_its_failures(as_json: bool, broken: Corpus, tmp_path: Path, capsys: Capture) -> None:
    assert main(["corpus", "retry", str(broken.folder)]) == 0, "nothing has failed yet"
    (tmp_path / "settings.toml").write_text(SETTINGS)
    capsys.readouterr()
    words = ["--config", str(tmp_path / "settings.toml"), "--resume", "--only", "ash", *(["--json"] if as_json else [])]
    assert main(["corpus", "build", broken.facts["root"], "-o", str(broken.folder), *words]) == 2
    out, err = capsys.readouterr()
    assert "ash failed: " in err and "song.toml" in err and f"`mixgraph corpus retry {broken.folder}`" in err
    if as_json:
        *_, song, last = [line for line in map(json.loads, out.splitlines()) if line["event"] != "progress"]
        assert (song["event"], song["song"], song["status"]) == ("song", "ash", "failed")
        assert (last["event"], last["songs"]["failed"]) == ("corpus", 1)
    else:
        assert f"0 done, 1 failed in {broken.folder}" in out


def test_only_may_be_given_more_than_once(broken: Corpus, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "settings.toml").write_text(SETTINGS)
    words = ["--config", str(tmp_path / "settings.toml"), "--resume", "--only", "ash", "--only", "cedar"]
    assert main(["corpus", "build", broken.facts["root"], "-o", str(broken.folder), *words]) == 2
    assert f"0 done, 2 failed in {broken.folder}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["corpus"], "no command after 'corpus'; known: build, "),
        (["corpus", "biuld"], "unknown command 'corpus biuld'; did you mean build?"),
        (["corpus", "build", "SONGS"], "-o/--output"),
        (["corpus", "build", "SONGS", "-o", "new", "--job", "2"], "unknown argument '--job'; did you mean --jobs?"),
        (["corpus", "verify", "new", "--smple", "2"], "did you mean --sample?; see `mixgraph corpus verify --help`"),
        (["corpus", "build", "SONGS", "-o", "new", "--shard", "0/4"], "'0/4': expected such as 1/4"),
        (["corpus", "build", "SONGS", "-o", "new", "--shard", "five"], "'five': expected such as 1/4"),
        (["corpus", "build", "SONGS", "-o", "new", "--jobs", "0"], "--jobs: '0': expected 1 or more"),
        (["corpus", "build", "SONGS", "-o", "new", "--gpus-per-job", "nan"], "'nan': expected a number such as 0.25"),
        (["corpus", "build", "SONGS", "-o", "new", "--only", "aspen"], "no song fits 'aspen'"),
        (["corpus", "build", "musdb18", "SONGS", "-o", "new"], "`mixgraph corpus synthesise`"),
        (["corpus", "build", "forest", "-o", "new"], "unknown dataset 'forest', and no such folder"),
        (["corpus", "retry", "SONGS"], "corpus.json: missing; make one with `mixgraph corpus build`"),
    ],
)
def test_mistakes_are_named(
    words: list[str], said: str, songs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([str(songs) if word == "SONGS" else word for word in words]) == 2
    out, err = capsys.readouterr()
    assert said in err and err.count("\n") == 1 and not out
    assert list(tmp_path.iterdir()) == []
