"""What can go wrong before there is a page is one line."""

from __future__ import annotations

import argparse
import socket
import sys
from pathlib import Path

import pytest

from mixgraph.app.server import serve
from mixgraph.cli.commands.app import configure, run
from mixgraph.errors import ConfigError, OutputError


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    configure(parser)
    return parser.parse_args([*words, "--no-browser"])


def test_a_port_that_cannot_be_had(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"--port {port}: cannot be used .*choose another"):
            serve(tmp_path / "workspace", port=port, browser=False)
    with pytest.raises(ConfigError, match="--port 99999"):
        serve(tmp_path / "workspace", port=99_999, browser=False)


def test_a_workspace_that_cannot_be_had(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in ("file", "file/below"):
        with pytest.raises(OutputError, match="cannot be written"):
            run(options("--workspace", str(tmp_path / place)))


def test_a_package_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "mixgraph.app.server")
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(
        ConfigError, match=r"needs the package uvicorn, which is not installed; pip install 'mixgraph\[app\]'"
    ):
        run(options("--workspace", str(tmp_path / "workspace")))
    assert list(tmp_path.iterdir()) == []
