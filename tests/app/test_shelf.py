"""What lies in `results` that no search of the page made."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mixgraph.cli import main
from tests.app.running import RunningApp
from tests.cli.tiny import search, write_song


@pytest.mark.parametrize("has_mix", [True, False])
def test_a_graph_that_was_applied_is_shown(has_mix: bool, start: Callable[[], RunningApp]) -> None:
    app = start()
    song = write_song(app.workspace / "songs" / "tiny")
    found, applied = app.workspace.parent / "found", app.workspace / "results" / "applied"
    search(song, found)
    if not has_mix:
        (song / "mix.wav").unlink()
    assert main(["apply", str(found), str(song), "-o", str(applied), "--no-report"]) == 0
    listed, page = (app.ask("GET", path).body.decode() for path in ("/list", "/results/applied"))
    assert "processors" in listed and ("loss <b>" in listed) == has_mix
    assert "Processors kept" in page and ("of the plain sum" in page) == has_mix
    assert "with the full console" not in page and "not a complete result" not in listed + page
