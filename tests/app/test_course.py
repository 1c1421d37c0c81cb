"""The course of a search as pages get it, and how long it should take."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mixgraph.app.estimate import expected_seconds, pace, span_of
from mixgraph.app.history import HISTORY, HistoryReader
from mixgraph.app.settings import Choices
from mixgraph.app.templates import duration, span
from mixgraph.config import make_config

STEP = {"event": "step", "stage": "console", "round": 0, "step": 1, "loss": 9.0, "audio": 1.5}
KEPT = {"event": "trial", "round": 1, "candidates": ["a", "b"], "loss": 0.5, "accepted": True}
REFUSED = {"event": "trial", "round": 1, "candidates": ["c"], "loss": 0.9, "accepted": False}


def test_a_history_is_read_while_it_grows(tmp_path: Path) -> None:
    reader, file = HistoryReader(), tmp_path / HISTORY
    assert reader.news(tmp_path) == (False, []) and reader.news(None) == (False, [])
    lines = [json.dumps(line) + "\n" for line in (STEP, {"event": "console", "loss": {}}, KEPT, REFUSED)]
    file.write_text(lines[0] + lines[1] + lines[2][:20])
    assert reader.news(tmp_path) == (False, [{"round": 0, "loss": 1.5}]), "half a line is not read"
    file.write_text("".join(lines))
    points = [{"round": 1, "loss": 0.5, "removed": ["a", "b"]}, {"round": 1, "loss": 0.9, "removed": []}]
    assert reader.news(tmp_path) == (False, points)
    assert reader.news(tmp_path) == (False, [])
    file.write_text(lines[0])
    assert reader.news(tmp_path) == (True, [{"round": 0, "loss": 1.5}]), "back at a checkpoint"
    file.write_text(lines[0] + "nonsense\n[]\n{}\n" + lines[2])
    assert reader.news(tmp_path) == (False, points[:1])


@pytest.mark.parametrize(("strips", "took"), [(10, 111), (16, 160), (33, 180)])
def test_estimates_hold_for_searches_that_were_measured(strips: int, took: float) -> None:
    """Hydrogen, caesium and finalstep, preset `laptop`, one core."""
    expected = expected_seconds(make_config(), strips=strips, seconds=40)
    least, most = span_of(expected, None)
    assert least <= took <= most
    here = pace([(took, expected), (took * 1.1, expected), (took * 9, expected)])
    assert here == pytest.approx(1.1 * took / expected), "one odd search does not count"
    assert span_of(expected, here).least < 1.1 * took < span_of(expected, here).most
    assert pace([]) is None and pace([(0, expected)]) is None


def test_more_work_takes_longer() -> None:
    def seconds(effort: str, *, strips: int = 20, length: float = 200) -> float:
        return expected_seconds(Choices.read({"effort": effort}).config(), strips=strips, seconds=length)

    assert seconds("quick") < seconds("standard") < seconds("thorough") < seconds("paper")
    assert seconds("standard", strips=40) > seconds("standard")
    assert seconds("paper", length=400) > seconds("paper")


def test_times_in_words() -> None:
    seconds = (1, 44, 95, 110, 26 * 60, 3_000, 8_000, 100_000)
    assert [duration(each) for each in seconds] == [
        *("1 s", "40 s", "100 s", "2 min", "25 min", "50 min", "2 h 10 min", "28 h"),
    ]
    assert span(40, 110) == "40 s to 2 min"
    assert span(240, 700) == "4 to 12 min"
    assert span(241, 250) == "about 4 min"
    assert span(8_000, 40_000) == "2 h 10 min to 11 h"
