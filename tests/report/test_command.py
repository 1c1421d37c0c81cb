"""`mixgraph report`: where the page goes, and what it says when it cannot be made."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from mixgraph.cli.commands import report as command
from mixgraph.errors import ConfigError, MixgraphError, OutputError
from tests.report.sample import save_beside_song


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A result folder whose song lies beside it."""
    return save_beside_song(tmp_path)


def run(result: Path, *arguments: str) -> None:
    parser = argparse.ArgumentParser()
    command.configure(parser)
    command.run(parser.parse_args([str(result), *arguments]))


def test_the_page_goes_into_the_result_folder(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(saved)
    assert (saved / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert "report.html" in capsys.readouterr().err
    with pytest.raises(OutputError, match="--overwrite"):
        run(saved)
    run(saved, "--overwrite", "--no-tracks")
    assert "nothing can be muted" in (saved / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        (["-o", "page.pdf"], OutputError, "end it in .html"),
        (["--size-limit", "0.5"], ConfigError, "--size-limit: 0.5: expected 1 MB or more"),
        (["--size-limit", "nan"], ConfigError, "--size-limit: nan"),
        (["--threads", "0"], ConfigError, "--threads"),
        (["-o", "no/such/folder/page.html"], OutputError, "does not exist"),
        (["no-such-song"], MixgraphError, "no-such-song"),
    ],
)
def test_errors_name_the_value_and_the_cure(
    saved: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], error: type[Exception], said: str
) -> None:
    monkeypatch.chdir(saved.parent)
    with pytest.raises(error, match=said):
        run(saved, *arguments)
    assert not list(saved.parent.glob("**/*.html"))
