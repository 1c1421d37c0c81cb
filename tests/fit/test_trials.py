"""Trials: the loss that an evaluation would give, computed only where something changed and as far as is needed."""

from __future__ import annotations

import math
from collections.abc import Collection

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixgraph.console import build_console
from mixgraph.fit.evaluate import criterion, evaluate, evaluation_starts
from mixgraph.fit.problem import Problem
from mixgraph.fit.trials import Trials
from mixgraph.graph.graph import Graph
from mixgraph.graph.node import IN, MIX, OUT, Node
from mixgraph.processors.bank import ParameterBank
from mixgraph.processors.equalizer import Equalizer
from mixgraph.prune.pruning import Candidates
from mixgraph.render.batched import BatchedRenderer
from tests.engine import tracks_of
from tests.fit.patchy import bank_of, patchy_problem
from tests.strategies import CHAIN, pruned, random_consoles, random_graphs

NOTHING: Candidates = frozenset()
SHORT = ("equalizer", "compressor", "gain_panning", "reverb")
CONSOLES = random_consoles(chain=SHORT, max_tracks=4)
GRAPHS = st.one_of(CONSOLES, pruned(CONSOLES), random_graphs(max_nodes=9))


def evaluated(problem: Problem, graph: Graph, bank: ParameterBank, masked: Candidates = NOTHING) -> float:
    return criterion(problem, evaluate(problem, graph.without(masked), bank, evaluation_starts(problem)))


def with_all(trials: Trials, candidates: Collection[str], masked: Candidates = NOTHING) -> float:
    """A trial that nothing ends early."""
    return trials.loss_with(frozenset(candidates), masked=masked, loss=math.nan, limit=math.inf)


@pytest.fixture
def rendered(monkeypatch) -> list[set[str]]:
    """The processors of every render, in order."""
    seen: list[set[str]] = []
    render = BatchedRenderer.render

    def watched(renderer, *arguments, **named):
        seen.append({node.id for node in renderer.graph.processors})
        return render(renderer, *arguments, **named)

    monkeypatch.setattr(BatchedRenderer, "render", watched)
    return seen


@settings(max_examples=20, deadline=None)
@given(graph=GRAPHS, memory_mb=st.sampled_from((0, 0.04, 0.1, 100)), data=st.data())
def test_a_trial_gives_the_loss_of_an_evaluation(graph, memory_mb, data):
    """Whatever was tried before, was kept or not, is silent, and however little memory there is (a signal: 0.016)."""
    places = st.tuples(st.sampled_from(tracks_of(graph)), st.integers(0, 2))
    problem = patchy_problem(graph, data.draw(st.sets(places, max_size=5)))
    bank = bank_of(graph, problem, seed=data.draw(st.integers(0, 99)))
    trials = Trials(problem, graph, bank, evaluation_starts(problem), memory_mb=memory_mb)
    assert trials.first() == pytest.approx(evaluated(problem, graph, bank), rel=1e-5)
    masked, left = NOTHING, sorted(node.id for node in graph.processors)
    for _ in range(data.draw(st.integers(1, 4)) if left else 0):
        candidates = frozenset(data.draw(st.lists(st.sampled_from(left), min_size=1, max_size=3)))
        wanted = evaluated(problem, graph, bank, masked | candidates)
        assert with_all(trials, candidates, masked) == pytest.approx(wanted, rel=1e-5)
        if data.draw(st.booleans()):
            masked, left = masked | candidates, [name for name in left if name not in candidates]
        if not left:
            break


def test_a_trial_uses_the_configured_convergence():
    graph = build_console(["a"], {}, ["gain_panning"])
    problem = patchy_problem(graph, loss={"convergence": "published"})
    bank = bank_of(graph, problem)
    trials = Trials(problem, graph, bank, evaluation_starts(problem))
    assert trials.first() == pytest.approx(evaluated(problem, graph, bank), rel=1e-5)


def test_a_track_called_like_a_node_is_not_taken_for_it():
    nodes = [Node("i", IN, "other"), Node("p", "gain_panning"), Node("j", IN, "p"), Node("q", "compressor")]
    edges = (("i", "p"), ("p", "o"), ("j", "q"), ("q", "o"))
    graph = Graph((*nodes, Node("o", OUT)), edges)
    problem = patchy_problem(graph)
    bank = bank_of(graph, problem)
    trials = Trials(problem, graph, bank, evaluation_starts(problem))
    trials.first()
    assert with_all(trials, ["q"]) == pytest.approx(evaluated(problem, graph, bank, frozenset("q")), rel=1e-5)


@settings(max_examples=15, deadline=None)
@given(graph=random_consoles(chain=("compressor", "gain_panning"), max_tracks=5), data=st.data())
def test_only_strands_of_candidates_and_what_follows_them_are_computed(graph, data):
    """A strand is a track or a subgroup with its processors; what was tried before does not matter."""
    problem = patchy_problem(graph)
    trials = Trials(problem, graph, bank_of(graph, problem), evaluation_starts(problem))
    with pytest.MonkeyPatch.context() as patch:
        seen = _watch_processors(patch)
        trials.first()
        assert seen == {node.id for node in graph.processors}
        masked, left = NOTHING, sorted(seen)
        while left:
            candidates = frozenset(data.draw(st.lists(st.sampled_from(left), min_size=1, max_size=2)))
            seen.clear()
            with_all(trials, candidates, masked)
            touched = strands_behind(graph, candidates)
            assert {name.split("/")[0] for name in seen} <= touched and not seen & (masked | candidates)
            seen.clear()
            with_all(trials, candidates, masked)
            assert not seen, "a loss that is known"
            masked = masked | candidates if data.draw(st.booleans()) else masked
            left = [name for name in left if name not in candidates]


def strands_behind(graph: Graph, ids: Collection[str]) -> set[str]:
    """Heads of the strands of some nodes and of all that they feed."""
    found, ahead = set[str](), list(ids)
    while ahead:
        name = ahead.pop()
        found.add(name.split("/")[0])
        ahead += graph.successors(name)
    return found


def _watch_processors(patch: pytest.MonkeyPatch) -> set[str]:
    seen, render = set[str](), BatchedRenderer.render

    def watched(renderer, *arguments, **named):
        seen.update(node.id for node in renderer.graph.processors)
        return render(renderer, *arguments, **named)

    patch.setattr(BatchedRenderer, "render", watched)
    return seen


def test_impulse_responses_are_computed_once(monkeypatch):
    graph = build_console(["a", "b"], {"ab": ["a", "b"]}, ["equalizer", "gain_panning"])
    problem = patchy_problem(graph)
    counts: list[int] = []
    respond = Equalizer.impulse_response

    def counting(self, parameters):
        counts.append(len(parameters["dry_wet_logit"]))
        return respond(self, parameters)

    monkeypatch.setattr(Equalizer, "impulse_response", counting)
    trials = Trials(problem, graph, bank_of(graph, problem), evaluation_starts(problem), memory_mb=0)
    trials.first()
    for name in ("track:a/gain_panning", "subgroup:ab/gain_panning", "track:b/equalizer"):
        with_all(trials, [name])
    assert sum(counts) == 3


def test_without_memory_nothing_is_kept(rendered):
    graph = build_console(["a", "b"], {}, ["gain_panning"])
    problem = patchy_problem(graph)
    trials = Trials(problem, graph, bank_of(graph, problem), evaluation_starts(problem), memory_mb=0)
    trials.first()
    with_all(trials, ["track:a/gain_panning"])
    everything = {node.id for node in graph.processors}
    assert rendered == 3 * [everything] + 3 * [everything - {"track:a/gain_panning"}]


@pytest.mark.parametrize("keep", [True, False])
def test_a_small_memory_serves_a_long_round(rendered, keep):
    """Room for all signals and those of one trial: what earlier ones left makes way, so the rest stays known."""
    names = [f"t{index}" for index in range(8)]
    graph = build_console(names, {"all": names}, ["compressor", "gain_panning"])
    problem = patchy_problem(graph)
    trials = Trials(
        problem, graph, bank_of(graph, problem), evaluation_starts(problem), memory_mb=3 * (9 + 2) * 16_000 / 1e6
    )
    trials.first()
    masked = NOTHING
    for _ in range(3 if not keep else 1):
        for name in names:
            rendered.clear()
            candidates = frozenset([f"track:{name}/gain_panning"])
            with_all(trials, candidates, masked)
            assert max(map(len, rendered), default=0) <= 3, "the candidates' strand and the subgroup's, not the others'"
            masked = masked | candidates if keep else masked


def test_what_lies_before_the_candidates_is_not_computed_again(rendered):
    graph = build_console(["a", "b"], {"ab": ["a", "b"]}, ["equalizer", "compressor", "gain_panning"])
    problem = patchy_problem(graph)
    bank = bank_of(graph, problem)
    trials = Trials(problem, graph, bank, evaluation_starts(problem))
    trials.first()
    rendered.clear()
    with_all(trials, ["track:a/gain_panning"])
    assert set().union(*rendered) == {f"subgroup:ab/{kind}" for kind in ("equalizer", "compressor", "gain_panning")}
    rendered.clear()
    masked = frozenset(["subgroup:ab/gain_panning"])
    loss = with_all(trials, masked)
    assert rendered and not set().union(*rendered)
    assert loss == pytest.approx(evaluated(problem, graph, bank, masked), rel=1e-5)


@pytest.mark.parametrize("threads", [1], indirect=True)  # renders are told apart by their order
def test_silent_tracks_cost_nothing_and_change_nothing(threads, rendered):
    graph = build_console(["a", "b", "c"], {"ab": ["a", "b"]}, CHAIN)
    problem = patchy_problem(graph, {("a", 0), ("a", 1), ("a", 2), ("c", 1)})
    bank = bank_of(graph, problem)
    trials = Trials(problem, graph, bank, evaluation_starts(problem))
    first = trials.first()
    assert first == pytest.approx(evaluated(problem, graph, bank), rel=1e-5)
    heads = [{name.split("/")[0] for name in processors} for processors in rendered[:3]]
    b, c = {"track:b", "subgroup:ab"}, {"track:c", "subgroup:c"}
    assert heads == [b | c, b, b | c]
    rendered.clear()
    assert with_all(trials, ["track:a/reverb", "track:a/compressor"]) == first
    assert trials.loss_with(frozenset(["track:a/reverb"]), masked=NOTHING, loss=first, limit=9) == first
    assert not rendered
    with_all(trials, ["subgroup:c/reverb"])
    assert len(rendered) == 2, "one segment hears nothing of it"


@pytest.mark.parametrize("error", [0, 0.1])
def test_a_segment_of_silence_is_judged_without_a_render(rendered, error):
    graph = build_console(["a", "b"], {"ab": ["a", "b"]}, CHAIN)
    problem = patchy_problem(graph, {("a", 1), ("b", 1)})
    bank = bank_of(graph, problem)
    wanted, changed = evaluated(problem, graph, bank), evaluated(problem, graph, bank, frozenset(["track:a/reverb"]))
    rendered.clear()
    trials = Trials(problem, graph, bank, evaluation_starts(problem), error=error)
    assert trials.first() == pytest.approx(wanted, rel=1e-5)
    found = trials.loss_with(frozenset(["track:a/reverb"]), masked=NOTHING, loss=wanted, limit=wanted)
    assert len(rendered) == trials.renders and trials.renders <= 4
    assert found == pytest.approx(changed, rel=1e-5) or (not error and found >= wanted)
    silent = patchy_problem(graph, [(name, segment) for name in "ab" for segment in range(3)])
    assert Trials(silent, graph, bank, evaluation_starts(silent), error=error).first() > 0
    assert trials.renders == len(rendered)


def test_mixes_and_nodes_that_nothing_reaches_are_left_out():
    """Several silent inputs of one sum, doubled edges, and a processor behind a silent sum."""
    nodes = [Node("i", IN, "a"), Node("j", IN, "b"), Node("m", MIX), Node("p", "reverb"), Node("q", "gain_panning")]
    edges = (("i", "m"), ("i", "m"), ("m", "p"), ("p", "o"), ("j", "q"), ("q", "o"), ("q", "o"), ("i", "q"))
    graph = Graph((*nodes, Node("o", OUT)), edges)
    problem = patchy_problem(graph, {("a", 0), ("b", 2)})
    bank = bank_of(graph, problem)
    trials = Trials(problem, graph, bank, evaluation_starts(problem))
    assert trials.first() == pytest.approx(evaluated(problem, graph, bank), rel=1e-5)
    for masked in ("p", "q", "pq"):
        assert with_all(trials, masked) == pytest.approx(evaluated(problem, graph, bank, frozenset(masked)), rel=1e-5)
