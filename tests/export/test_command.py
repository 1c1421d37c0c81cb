"""`mixgraph export`: what it writes, prints, and says when it cannot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mixgraph.cli import main
from mixgraph.export.base import EXPORTS, about
from tests.report.sample import save_beside_song

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A result folder whose song lies beside it; we stand where both are."""
    monkeypatch.chdir(tmp_path)
    return save_beside_song(tmp_path)


def test_the_table_is_printed_and_written(saved: Path, capsys: Capture) -> None:
    assert main(["export", "result", "--to", "impulse-responses", "-o", "out"]) == 0
    out, err = capsys.readouterr()
    assert "track:bass/equalizer" in out and "exact" in out and "left out" in out
    assert "out: 8 exact, 3 left out" in err
    assert (saved.parent / "out" / "fidelity.md").read_text().startswith("# tiny as impulse-responses: 8 exact, 3 left")


def test_json_is_the_table(saved: Path, capsys: Capture) -> None:
    assert main(["export", "result", "--to", "stems", "-o", "out", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {row["kept"] for row in document["processors"]} == {"printed"} and document["compared"] is None
    written = json.loads((saved.parent / "out" / "fidelity.json").read_text())
    assert written["processors"] == document["processors"]


def test_help_lists_the_formats(capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        main(["export", "--help"])
    words = " ".join(capsys.readouterr().out.split())
    assert all(f"{name} {' '.join(about(kind).split())}" in words for name, kind in EXPORTS.items())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--to", "tape", "-o", "out"], "unknown export format 'tape'; known: ardour, "),
        (["-o", "out"], "--to"),
        (["--to", "stems", "-o", "song"], "song: exists already"),
        (["--to", "stems", "-o", "song", "--overwrite"], "song: is no export of mixgraph"),
        (["nowhere", "--to", "stems", "-o", "out"], "nowhere"),
        (["--to", "stems", "-o", "out", "--compare"], "no program that renders it here"),
        (["--to", "stems", "-o", "out", "--threads", "0"], "--threads"),
    ],
)
def test_errors_are_one_line_and_leave_nothing(saved: Path, capsys: Capture, arguments: list[str], said: str) -> None:
    before = sorted(saved.parent.rglob("*"))
    assert main(["export", "result", *arguments]) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1
    assert sorted(saved.parent.rglob("*")) == before
