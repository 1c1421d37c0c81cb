"""Fisher scores against finite differences of the plain renderer in double precision."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mixgraph.console import build_console
from mixgraph.fit.evaluate import evaluation_starts
from mixgraph.fit.importance import fisher_scores
from mixgraph.fit.problem import Problem
from mixgraph.graph.graph import Graph
from mixgraph.processors.bank import DRY_WET, ParameterBank
from mixgraph.render.reference import ReferenceRenderer
from tests.engine import random_bank, small_problem, small_song
from tests.strategies import CHAIN

STEP = 1e-6


def exact_loss(problem: Problem, graph: Graph, bank: ParameterBank, start: int) -> float:
    """The audio loss of one segment in double precision."""
    renderer = ReferenceRenderer(graph, problem.processors, problem.song.tracks)
    estimate = problem.mix_loss.features(renderer.render(problem.sources(start).double(), bank).output)
    mix = torch.from_numpy(problem.song.mix_segment(start, problem.config.segment_samples)).double()
    return problem.mix_loss.compare(estimate=estimate, target=problem.mix_loss.features(mix)).total.item()


def with_weight(bank: ParameterBank, kind: str, row: int, weight: float) -> ParameterBank:
    changed = bank.to("cpu", torch.float64)
    changed.tensors[kind][DRY_WET][row] = torch.logit(torch.tensor(weight, dtype=torch.float64))
    return changed


@pytest.mark.parametrize("convergence", ["target", "published"])
def test_scores_are_mean_squared_slopes_times_squared_weights(convergence):
    problem = small_problem(small_song(["a", "b"]), loss={"convergence": convergence})
    graph = build_console(["a", "b"], {"ab": ["a", "b"]}, CHAIN).without(["track:b/reverb", "track:b/noise_gate"])
    bank = random_bank(graph, problem.processors, std=0.3)
    starts = evaluation_starts(problem)[:2]
    found = fisher_scores(problem, graph, bank.to("cpu"), starts)
    assert set(found) == {node.id for node in graph.processors}
    weights = bank.dry_wet()
    for kind, ids in bank.ids.items():
        for row, name in enumerate(ids):
            weight, squares = weights[name], []
            for start in starts:
                ends = [with_weight(bank, kind, row, weight + sign * STEP) for sign in (1, -1)]
                above, below = (exact_loss(problem, graph, end, start) for end in ends)
                squares.append((weight * (above - below) / (2 * STEP)) ** 2)
            assert found[name] == pytest.approx(np.mean(squares), rel=1e-2, abs=1e-8), name


def test_the_bank_is_left_alone():
    problem = small_problem(small_song(["a"]))
    graph = build_console(["a"], {}, CHAIN)
    bank = random_bank(graph, problem.processors, std=0.1, dtype=torch.float32)
    bank.tensors["reverb"][DRY_WET].fill_(12.0)
    bank.tensors["equalizer"][DRY_WET].requires_grad_()
    before = {name: tensor.detach().clone() for name, tensor in bank.flatten().items()}
    scores = fisher_scores(problem, graph, bank, [0])
    assert fisher_scores(problem, graph, bank, [0]) == scores
    for name, tensor in bank.flatten().items():
        assert torch.equal(tensor, before[name]) and tensor.grad is None, name
        assert tensor.requires_grad == (name == f"equalizer.{DRY_WET}"), name


def test_what_has_no_effect_scores_nothing():
    """A gain of 0 dB, a weight of zero, and a track that is silent."""
    song = small_song(["a", "b"], gains=[[1, 0.5], [0.3, 1]])
    silent = type(song).from_arrays("silent", {"a": song.track("a"), "b": 0 * song.track("b")}, song.mix(), 8_000)
    problem = small_problem(silent)
    graph = build_console(["a", "b"], {}, ["gain_panning", "compressor"])
    bank = random_bank(graph, problem.processors, dtype=torch.float32)
    idle = bank.ids["gain_panning"].index("track:a/gain_panning")
    bank.tensors["gain_panning"]["log_gain"][idle] = 0
    bank.tensors["compressor"][DRY_WET][bank.ids["compressor"].index("track:a/compressor")] = -torch.inf
    scores = fisher_scores(problem, graph, bank, [0, 1_600])
    working = {"subgroup:a/gain_panning", "subgroup:a/compressor"}
    assert min(scores[name] for name in working) > 1e-6
    assert max(score for name, score in scores.items() if name not in working) < 1e-12


@pytest.mark.parametrize("logit", [10.0, 30.0, torch.inf])
def test_a_weight_of_almost_one_still_counts(logit):
    """Single precision cannot tell it from one."""
    problem = small_problem(small_song(["a"], gains=[[1, 0.5]]))
    graph = build_console(["a"], {}, ["gain_panning"])
    bank, name = random_bank(graph, problem.processors, dtype=torch.float32), "track:a/gain_panning"
    bank.tensors["gain_panning"][DRY_WET].fill_(6.0)
    wanted = fisher_scores(problem, graph, bank, [0])[name]
    bank.tensors["gain_panning"][DRY_WET].fill_(logit)
    assert fisher_scores(problem, graph, bank, [0])[name] == pytest.approx(wanted, rel=0.03)
    assert wanted > 1e-4


def test_nothing_is_left_to_score():
    problem = small_problem()
    graph = build_console(problem.song.tracks, {}, [])
    assert fisher_scores(problem, graph, ParameterBank({}, {}), [0]) == {}
