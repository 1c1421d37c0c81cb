"""Every device that is here: what the CPU computes in double precision, and whole searches."""

from __future__ import annotations

import math
import random

import pytest
import torch

from mixgraph.console import build_console
from mixgraph.fit.evaluate import criterion, evaluate, evaluation_starts
from mixgraph.fit.problem import Problem
from mixgraph.fit.start import initial_bank
from mixgraph.fit.training import Phase, train
from mixgraph.fit.trials import Trials
from mixgraph.graph.graph import Graph
from mixgraph.render.batched import BatchedRenderer
from mixgraph.render.reference import ReferenceRenderer
from mixgraph.run.api import search
from tests.engine import gradients, noise, random_bank, small_config, small_processors, small_song, tracks_of
from tests.strategies import CHAIN

SUBGROUPS = {"rhythm": ["bass", "drums"]}
AVAILABLE = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}


@pytest.fixture(params=[name for name, there in AVAILABLE.items() if there])
def device(request) -> torch.device:
    """Also MPS, which the fixture of that name for all tests leaves out: it knows no double precision."""
    return torch.device(request.param)


def console(seed: int | None = None) -> Graph:
    """A full console, or with a seed one of which about half is left."""
    graph = build_console(small_song(subgroups=SUBGROUPS).tracks, SUBGROUPS, CHAIN)
    if seed is None:
        return graph
    rng = random.Random(seed)
    return graph.without([node.id for node in graph.processors if rng.random() < 0.5])


def close(found: torch.Tensor, wanted: torch.Tensor, relative: float) -> None:
    tolerance = relative * max(1e-6, float(wanted.abs().max()))
    torch.testing.assert_close(found.cpu().double(), wanted, rtol=0, atol=tolerance)


@pytest.mark.parametrize("samples", [1_001, 6_000, 40_000])
@pytest.mark.parametrize("seed", [None, 1, 2, 3])
@pytest.mark.parametrize("kind", [BatchedRenderer, ReferenceRenderer])
def test_audio_levels_and_gradients_are_those_of_the_cpu(device, kind, seed, samples):
    graph, processors = console(seed), small_processors()
    tracks, bank = tracks_of(graph), random_bank(graph, processors)
    sources = noise(len(tracks), 2, samples)
    wanted, slopes = gradients(kind(graph, processors, tracks), sources, bank)
    found, computed = gradients(kind(graph, processors, tracks), sources.float().to(device), bank)
    assert found.output.device.type == device.type
    close(found.output, wanted.output, 1e-4)
    for name, pair in wanted.levels.items():
        close(found.levels[name].dry.sort().values, pair.dry.sort().values, 1e-4)
        close(found.levels[name].wet.sort().values, pair.wet.sort().values, 1e-4)
    for name, slope in slopes.items():
        close(computed[name], slope, 1e-3)


def trained(device: torch.device) -> list[float]:
    """The losses of some steps."""
    problem, graph = Problem(small_song(subgroups=SUBGROUPS), small_config(), device), console()
    bank, losses = initial_bank(problem, graph), list[float]()
    train(problem, graph, bank, Phase(0, 4, 0.01), on_step=lambda report, moments: losses.append(report.loss))
    assert all(tensor.device.type == device.type for tensor in bank.flatten().values())
    return losses


def test_training_goes_as_on_the_cpu(device):
    assert trained(device) == pytest.approx(trained(torch.device("cpu")), rel=2e-3)


def test_trials_give_the_losses_of_evaluations(device):
    problem, graph = Problem(small_song(subgroups=SUBGROUPS), small_config(), device), console()
    bank, starts = initial_bank(problem, graph), evaluation_starts(problem)
    trials, masked = Trials(problem, graph, bank, starts), frozenset[str]()
    for node in random.Random(0).sample(graph.processors, 8):
        alone = frozenset([node.id])
        loss = trials.loss_with(alone, masked=masked, loss=math.nan, limit=math.inf)
        masked |= alone
        assert loss == pytest.approx(
            criterion(problem, evaluate(problem, graph.without(masked), bank, starts)), rel=1e-4
        )


def test_a_search_ends_with_a_result_that_the_cpu_hears_the_same(device, tmp_path):
    song = small_song(subgroups=SUBGROUPS, gains=[(0.5, 0.4), (1.0, 1.1), (0.2, 0.9)])
    config = small_config(fit={"console_steps": 30}, prune={"rounds": 2, "fine_tune_steps": 5})
    result = search(song, config, output=tmp_path / "found", device=device.type)
    assert 0 < len(result.graph.processors) < len(console().processors)
    assert all(tensor.device.type == "cpu" for tensor in result.bank.flatten().values())
    problem = Problem(song, config, torch.device("cpu"))
    heard = criterion(problem, evaluate(problem, result.graph, result.bank, evaluation_starts(problem)))
    assert heard == pytest.approx(result.metrics["loss"]["pruned"]["target"], rel=1e-3)
