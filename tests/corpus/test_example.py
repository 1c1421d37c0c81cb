"""The example runs as documented; whether it learns is measured in docs/corpus.md."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mixgraph.processors.base import PROCESSORS

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "predict_processors.py"


@pytest.mark.slow
def test_the_example_makes_songs_trains_and_reports(tmp_path):
    command = [sys.executable, str(EXAMPLE), "-o", str(tmp_path / "work"), "--json", str(tmp_path / "scores.json")]
    command += ["--songs", "30", "--tracks", "2", "--seconds", "4", "--seeds", "2", "--epochs", "30", "--threads", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "scores.json").read_text())
    assert set(rows) == set(PROCESSORS)
    for kind, row in rows.items():
        assert len(row["balanced"]) == 2 and kind in done.stdout
    # What half of the tracks have is told from thirty songs already.
    assert min(rows["equalizer"]["balanced"]) > rows["equalizer"]["majority_balanced"][0]
