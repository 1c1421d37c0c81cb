"""Schedules: valid, complete, ordered by length, and as short as exhaustive search finds."""

from __future__ import annotations

from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixgraph.console import build_console
from mixgraph.errors import ConfigError, GraphError
from mixgraph.graph.graph import Graph
from mixgraph.graph.schedule import METHODS, Batch, console_order, schedule
from tests.strategies import CHAIN, pruned, random_consoles, random_graphs

GRAPHS = st.one_of(
    random_graphs(), random_graphs(types=("reverb", "equalizer"), max_nodes=16), pruned(random_consoles())
)


def shortest_length(graph: Graph) -> int:
    """Fewest batches that any sequence of types needs, by trying all."""
    needs = {node.id: set(graph.predecessors(node.id)) for node in graph.nodes}
    states, length = {frozenset[str]()}, 0
    while frozenset(needs) not in states:
        following = set()
        for done in states:
            ready = [name for name in needs if name not in done and needs[name] <= done]
            for type in {graph.node(name).type for name in ready}:
                following.add(done | {name for name in ready if graph.node(name).type == type})
        states, length = following, length + 1
    return length


@pytest.mark.parametrize("method", METHODS)
@given(graph=GRAPHS)
def test_a_schedule_is_valid_complete_and_takes_all_that_is_ready(method, graph):
    done: set[str] = set()
    for batch in schedule(graph, method):
        assert batch.ids
        assert {graph.node(name).type for name in batch.ids} == {batch.type}
        assert all(set(graph.predecessors(name)) <= done for name in batch.ids)
        if method != "one_by_one":
            ready = [n.id for n in graph.order if n.id not in done and set(graph.predecessors(n.id)) <= done]
            assert batch.ids == tuple(name for name in ready if graph.node(name).type == batch.type)
        assert done.isdisjoint(batch.ids)
        done.update(batch.ids)
    assert done == {node.id for node in graph.nodes}
    assert schedule(Graph(graph.nodes, graph.edges), method) == schedule(graph, method)


@given(graph=GRAPHS, width=st.integers(1, 4))
def test_lengths_are_ordered(graph, width):
    one_by_one, greedy, beam = (len(schedule(graph, method)) for method in ("one_by_one", "greedy", "beam"))
    assert beam <= greedy <= one_by_one == len(graph.nodes)
    assert len(schedule(graph, "fixed")) <= one_by_one
    assert len(schedule(graph, "beam", width=width)) <= greedy


@settings(max_examples=60, deadline=None)
@given(random_graphs(types=("a", "b", "c"), max_nodes=11))
def test_a_wide_beam_finds_the_shortest_schedule(graph):
    assert len(schedule(graph, "beam", width=100_000)) == shortest_length(graph)


def test_the_beam_sees_further_than_the_greedy_choice():
    # After the two "b"s greedy sums two mixes at once rather than wait for the third, behind the one "a".
    graph = build_console(["x", "y", "z"], {}, ["a", "b"]).without(
        ["track:x/a", "track:y/a", "track:z/b"] + [f"subgroup:{t}/{p}" for t in "xyz" for p in "ab"]
    )
    assert [batch.type for batch in schedule(graph, "greedy")] == ["in", "b", "mix", "a", "mix", "out"]
    assert len(schedule(graph, "beam")) == 5


def test_greedy_takes_the_largest_batch_first():
    graph = build_console(["x", "y", "z"], {}, ["a", "b"]).without(["track:x/a", "track:y/a", "track:z/b"])
    batches = schedule(graph, "greedy")
    assert batches[:2] == (
        Batch("in", ("track:x", "track:y", "track:z")),
        Batch("b", ("track:x/b", "track:y/b")),
    )


def test_a_full_console_is_scheduled_in_its_own_order():
    graph = build_console(["x", "y", "z"], {"drums": ["x", "y"]}, CHAIN)
    for method in ("fixed", "beam"):
        assert [batch.type for batch in schedule(graph, method)] == ["in", *CHAIN, "mix", *CHAIN, "out"]


@given(pruned(random_consoles()))
def test_a_pruned_console_takes_two_rounds_at_most(graph):
    types = [batch.type for batch in schedule(graph, "fixed")]
    rounds = [list(group) for is_mix, group in groupby(types, key="mix".__eq__) if not is_mix]
    assert types.count("mix") == 1
    assert all(len(set(group)) == len(group) for group in rounds)


@given(pruned(random_consoles(chain=CHAIN[::-1])))
def test_the_default_order_is_that_of_the_chains(graph):
    order = console_order(graph)
    assert set(order) == set(graph.types)
    for start, end in graph.edges:
        if graph.node(end).type not in ("mix", "out") and graph.node(start).type != "mix":
            assert order.index(graph.node(start).type) < order.index(graph.node(end).type)


@given(random_graphs(types=("a", "b")), st.permutations(("in", "mix", "out", "a", "b", "elsewhere")))
def test_a_given_order_is_gone_through_round_and_round(graph, order):
    types = [batch.type for batch in schedule(graph, "fixed", order=order)]
    done: set[str] = set()
    turn = 0
    for type in types:
        ready = {n.type for n in graph.nodes if n.id not in done and set(graph.predecessors(n.id)) <= done}
        while order[turn % len(order)] not in ready:
            turn += 1
        assert type == order[turn % len(order)]
        turn += 1
        done |= {
            n.id for n in graph.nodes if n.type == type and n.id not in done and set(graph.predecessors(n.id)) <= done
        }


def test_refusals():
    graph = build_console(["x"], {}, ["reverb"])
    with pytest.raises(ConfigError, match="unknown scheduling method 'best'; known: one_by_one, greedy, beam, fixed"):
        schedule(graph, "best")
    with pytest.raises(GraphError, match="'track:x/reverb' is of type 'reverb', which the order lacks: in, mix, out"):
        schedule(graph, order=["in", "mix", "out"])
    with pytest.raises(ConfigError, match="beam width is 0"):
        schedule(graph, "beam", width=0)
