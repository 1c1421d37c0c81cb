"""Searches in processes of their own: one at a time, stopped with a checkpoint, found again after any end."""

from __future__ import annotations

import signal
import tomllib
from collections.abc import Callable, Iterator

import psutil
import pytest
import torch

from mixgraph.config import make_config
from mixgraph.run.api import search
from tests.app.running import RunningApp, lasting, until
from tests.cli.tiny import same_bytes, write_song

Start = Callable[[], RunningApp]


def begin(app: RunningApp, steps: int = 80) -> str:
    return app.ask("POST", "/api/songs/tiny/search", {"more": lasting(steps)}).json["result"]


def has_begun(app: RunningApp, name: str) -> bool:
    history = app.workspace / "results" / f"{name}.partial" / "history.jsonl"
    return history.exists() and history.stat().st_size > 1_000


def gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Searches in this process and in others must add numbers in the same order."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_ended_and_started_again(start: Start, one_thread: None) -> None:
    """Ctrl-C stops the search with a checkpoint; the next server goes on, to the same bits as an unbroken search."""
    app = start()
    song = write_song(app.workspace / "songs" / "tiny")
    first, second = begin(app), begin(app)
    until(lambda: has_begun(app, first))
    (worker,) = app.workers()
    worker.suspend()  # so that it is still there, however fast the machine
    assert (app.status(first), app.status(second)) == ("running", "queued")
    assert app.ask("DELETE", "/api/songs/tiny").status == 400, "it is being searched"
    assert app.ask("DELETE", f"/api/results/{first}").status == 400
    app.process.send_signal(signal.SIGINT)
    worker.resume()
    assert app.process.wait(timeout=60) == 0
    assert gone(worker)
    assert app.status(first) == "stopped"
    assert (app.workspace / "results" / f"{first}.partial" / "checkpoint.safetensors").exists()
    again = start()
    page = again.ask("GET", "/").body.decode()
    assert page.count("Stopped") == 2
    assert again.ask("POST", f"/api/results/{first}/resume").status == 200
    assert again.ask("POST", f"/api/results/{first}/resume").status == 400, "once is enough"
    until(lambda: again.status(first) == "done")
    unbroken = again.workspace.parent / "unbroken"
    search(song, make_config(changes=tomllib.loads(lasting(80))), output=unbroken, device="cpu")
    same_bytes(again.workspace / "results" / first, unbroken)
    assert again.ask("GET", f"/results/{first}/mix.flac").body == (unbroken / "mix.flac").read_bytes()
    assert again.ask("DELETE", f"/api/results/{second}").status == 200
    assert second not in again.ask("GET", "/list").body.decode()


@pytest.mark.slow
def test_no_search_outlives_a_killed_server(start: Start) -> None:
    app = start()
    write_song(app.workspace / "songs" / "tiny")
    name = begin(app, 5_000)
    until(lambda: has_begun(app, name))
    (worker,) = app.workers()
    app.end(signal.SIGKILL)
    until(lambda: gone(worker))
    partial = app.workspace / "results" / f"{name}.partial"
    assert (partial / "checkpoint.safetensors").exists() and not (app.workspace / "results" / name).exists()
    assert "Go on" in start().ask("GET", f"/results/{name}").body.decode()


@pytest.mark.slow
def test_a_search_that_is_killed_says_so(start: Start) -> None:
    app = start()
    write_song(app.workspace / "songs" / "tiny")
    name = begin(app, 5_000)
    until(lambda: has_begun(app, name))
    # Nor does the queue end where its log is gone.
    (app.workspace / ".mixgraph" / "searches" / f"{name}.log").unlink()
    (worker,) = app.workers()
    worker.kill()
    until(lambda: app.status(name) == "failed")
    page = app.ask("GET", f"/results/{name}").body.decode()
    assert "perhaps because the memory ran out" in page and "Try again" in page and "Traceback" not in page
