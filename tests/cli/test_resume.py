"""Broken off anywhere and resumed, a search ends with the same bits as one that was left alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mixgraph.cli import main
from mixgraph.errors import ConfigError, SongError
from mixgraph.fit.trials import Trials
from mixgraph.run.events import Progress, Stopped
from tests.cli.tiny import same_bytes, search, write_song, write_wav

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "OMP_NUM_THREADS": "1"}


def command(song: Path, settings: Path, output: Path) -> list[str]:
    return ["search", str(song), "-o", str(output), "--config", str(settings), "--threads", "1"]


@pytest.mark.parametrize(
    "place",
    [
        pytest.param("console:0:4", id="console"),
        pytest.param("prune:1:4", id="pruning"),
        pytest.param("fine_tune:2:3", id="fine-tuning"),
        pytest.param("checkpoint:9", id="in-a-checkpoint"),
    ],
)
def test_killed_and_resumed(place: str, tmp_path: Path, finished: Path) -> None:
    song, output = write_song(tmp_path / "song"), tmp_path / "result"
    script = [sys.executable, "-m", "tests.cli.killed_search", str(song), str(output), place]
    killed = subprocess.run(script, env=ENVIRONMENT, cwd=ROOT, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not output.exists()
    seen: list[Progress] = []
    search(song, output, resume=True, watch=seen.append)
    same_bytes(output, finished)
    assert sorted(path.name for path in output.iterdir()) == sorted(path.name for path in finished.iterdir())
    stage = place.split(":")[0]
    if stage != "checkpoint":
        assert seen[0].stage == stage, "work was done again that a checkpoint held"


def test_history_is_that_of_an_unbroken_run(tmp_path: Path, finished: Path) -> None:
    song, output = write_song(tmp_path / "song"), tmp_path / "result"
    for stop_at in [("console", 0, 3), ("prune", 1, 2), ("prune", 2, 2), ("fine_tune", 2, 1), ("finish", 2, 1)]:
        asked: list[bool] = []

        def watch(progress: Progress, stop_at: tuple[str, int, int] = stop_at, asked: list[bool] = asked) -> None:
            if (progress.stage, progress.round, progress.step) == stop_at:
                asked.append(True)

        with pytest.raises(Stopped):
            search(song, output, resume=True, watch=watch, should_stop=lambda asked=asked: bool(asked))
        assert asked
    search(song, output, resume=True)
    same_bytes(output, finished)
    assert (output / "history.jsonl").read_bytes() == (finished / "history.jsonl").read_bytes()


def test_recorded_trials_are_not_evaluated_again(
    tmp_path: Path, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    song, output = write_song(tmp_path / "song"), tmp_path / "result"
    lines = [json.loads(line) for line in (finished / "history.jsonl").read_text().splitlines()]
    trials = sum(line["event"] == "trial" and line["round"] == 1 for line in lines)
    reached: list[Progress] = []

    def at_tenth_trial() -> bool:
        return (reached[-1].stage, reached[-1].step) == ("prune", 10)

    def at_fine_tuning() -> bool:
        return reached[-1].stage == "fine_tune"

    with pytest.raises(Stopped):
        search(song, output, watch=reached.append, should_stop=at_tenth_trial)
    evaluations: list[float] = []
    loss_with = Trials.loss_with
    monkeypatch.setattr(Trials, "loss_with", lambda *a, **b: evaluations.append(loss_with(*a, **b)) or evaluations[-1])
    with pytest.raises(Stopped):
        search(song, output, resume=True, watch=reached.append, should_stop=at_fine_tuning)
    assert len(evaluations) == trials - 10, "those that were not recorded"


def test_interrupt_stops_and_says_how_to_go_on(
    song: Path, settings: Path, tmp_path: Path, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "result"
    arguments = [sys.executable, "-m", "mixgraph", *command(song, settings, output), "--json"]
    with subprocess.Popen(arguments, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None and run.stderr is not None
        first = json.loads(run.stdout.readline())
        assert (first["event"], first["stage"]) == ("progress", "console")
        run.send_signal(signal.SIGINT)
        errors = run.stderr.read()
    assert run.returncode == 130
    assert "Traceback" not in errors
    assert f"stopped; continue with `mixgraph search {song} -o {output}" in errors and "--resume`" in errors
    assert not output.exists()
    assert main([*command(song, settings, output), "--resume", "--quiet"]) == 0
    same_bytes(output, finished)


def test_resuming_a_finished_search_gives_its_result(song: Path, settings: Path, finished: Path) -> None:
    before = (finished / "metrics.json").stat().st_mtime_ns
    assert main([*command(song, settings, finished), "--resume", "--quiet"]) == 0
    assert (finished / "metrics.json").stat().st_mtime_ns == before


def test_resuming_needs_the_same_settings_and_audio(song: Path, settings: Path, tmp_path: Path) -> None:
    output = tmp_path / "result"
    with pytest.raises(Stopped):
        search(song, output, should_stop=lambda: True)
    settings.write_text(settings.read_text().replace("console_steps = 6", "console_steps = 7"))
    assert main([*command(song, settings, output), "--resume", "--quiet"]) == 2
    with pytest.raises(ConfigError, match="fit.console_steps = 6, not 7"):
        from mixgraph import make_config
        from mixgraph import search as search_song

        search_song(song, make_config(file=settings), output=output, resume=True)
    write_wav(song / "mix.wav", [[0.1, 0.2]] * 64_000)
    with pytest.raises(SongError, match="mix.wav: has changed"):
        search(song, output, resume=True)
