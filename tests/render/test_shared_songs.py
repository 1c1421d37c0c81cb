"""On real songs, the fast renderer gives the loss that the reference renderer gives."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mixgraph.audio.song import load_song
from mixgraph.bench import full_console
from mixgraph.config import make_config
from mixgraph.fit.evaluate import evaluate, evaluation_starts
from mixgraph.fit.problem import Problem
from mixgraph.render.reference import ReferenceRenderer
from tests.engine import random_bank


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hydrogen", "caesium", "finalstep"])
def test_the_loss_is_that_of_the_reference(name: str, shared: Path) -> None:
    """A full console in which every processor is far from where it starts."""
    config = make_config()
    problem = Problem(
        load_song(shared / "songs" / name, sample_rate=config.audio.sample_rate), config, torch.device("cpu")
    )
    graph, _ = full_console(problem)
    bank = random_bank(graph, problem.processors, seed=1, dtype=torch.float32)
    starts = evaluation_starts(problem)[::4]
    reference = ReferenceRenderer(graph, problem.processors, problem.song.tracks)
    fast = evaluate(problem, graph, bank, starts)
    slow = evaluate(problem, graph, bank, starts, renderer=reference)
    for part in ("total", "left_right", "mid", "side"):
        assert getattr(fast.target, part) == pytest.approx(getattr(slow.target, part), abs=1e-4)
        assert getattr(fast.published, part) == pytest.approx(getattr(slow.published, part), abs=1e-4)
