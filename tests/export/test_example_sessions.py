"""The sessions that are kept under examples/ are what the command makes today, one of each format, and small."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mixgraph.export.base import EXPORTS
from tests.export.test_contract import contents

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sessions, made again."""
    folder = tmp_path_factory.mktemp("examples") / "sessions"
    command = [sys.executable, str(EXAMPLES / "sessions.py"), "-o", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_there_is_a_small_one_of_each_format() -> None:
    kept = EXAMPLES / "sessions"
    assert sorted(folder.name for folder in kept.iterdir() if folder.is_dir()) == list(EXPORTS)
    assert sum(path.stat().st_size for path in kept.rglob("*") if path.is_file()) < 2e6


@pytest.mark.parametrize("format", list(EXPORTS))
def test_the_command_makes_the_same_files_today(format: str, made: Path) -> None:
    """Names, and tables of what was kept; numbers elsewhere may differ in their last digit from machine to machine."""
    old, new = contents(EXAMPLES / "sessions" / format), contents(made / format)
    assert old.keys() == new.keys()
    assert old["fidelity.md"] == new["fidelity.md"]
    for name in old:
        if name.endswith(".wav"):
            np.testing.assert_allclose(np.frombuffer(old[name]), np.frombuffer(new[name]), atol=1e-5)
