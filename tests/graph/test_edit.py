"""Removing processors: what stays, and that no signal is lost or doubled."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixgraph.errors import GraphError
from mixgraph.graph.graph import Graph
from mixgraph.graph.node import Node
from tests.strategies import processor_ids, random_consoles, random_graphs

GRAPHS = st.one_of(random_graphs(), random_graphs(types=("reverb",), max_nodes=9), random_consoles())


def gains(graph: Graph) -> dict[str | None, int]:
    """The gain from each track to the output if every processor passes its input on: the number of paths."""
    feeds: dict[str, list[str]] = {node.id: [] for node in graph.nodes}
    for start, end in graph.edges:
        feeds[end].append(start)
    types = {node.id: node for node in graph.nodes}
    memory: dict[str, Counter[str | None]] = {}

    def tracks_at(name: str) -> Counter[str | None]:
        if name not in memory:
            own = Counter([types[name].source]) if types[name].type == "in" else Counter()
            memory[name] = sum((tracks_at(before) for before in feeds[name]), own)
        return memory[name]

    return dict(tracks_at("o" if "o" in types else "out"))


@given(st.data())
def test_a_removal_keeps_laws_signal_flow_and_the_other_nodes(data):
    graph = data.draw(GRAPHS)
    removed = data.draw(processor_ids(graph))
    smaller = graph.without(removed)
    assert Graph(smaller.nodes, smaller.edges) == smaller
    assert smaller.nodes == tuple(node for node in graph.nodes if node.id not in removed)
    assert gains(smaller) == gains(graph)


@given(st.data())
def test_removals_commute_and_add_up(data):
    graph = data.draw(GRAPHS)
    first, second = data.draw(processor_ids(graph)), data.draw(processor_ids(graph))
    at_once = graph.without(first | second)
    one_by_one = graph.without(first).without(second - first)
    assert Counter(one_by_one.edges) == Counter(at_once.edges)
    assert one_by_one == at_once == graph.without(second).without(first - second)
    assert one_by_one.order == at_once.order


@given(GRAPHS)
def test_removing_nothing_changes_nothing(graph):
    assert graph.without(()) == graph


def test_a_bypassed_processor_adds_to_the_edge_beside_it():
    graph = Graph(
        (Node("u", "in", "Kick"), Node("p", "reverb"), Node("v", "out")), (("u", "p"), ("p", "v"), ("u", "v"))
    )
    assert graph.without(["p"]).edges == (("u", "v"), ("u", "v"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("in", "node 'in' of type 'in' cannot be removed"),
        ("mix", "node 'mix' of type 'mix' cannot be removed"),
        ("out", "node 'out' of type 'out' cannot be removed"),
        ("nobody", "there is no node 'nobody'"),
    ],
)
def test_only_processors_can_be_removed(name, message):
    nodes = (Node("in", "in", "Kick"), Node("p", "reverb"), Node("mix", "mix"), Node("out", "out"))
    graph = Graph(nodes, (("in", "p"), ("p", "mix"), ("mix", "out")))
    with pytest.raises(GraphError, match=message):
        graph.without({"p", name})
    with pytest.raises(GraphError, match="there is no node 'p'"):
        graph.without(["p"]).without(["p"])
