"""Graphs: their laws, every refusal, and the order of nodes."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given

from mixgraph.errors import GraphError
from mixgraph.graph.graph import Graph
from mixgraph.graph.node import Node
from tests.strategies import random_graphs

IN = Node("a", "in", source="Kick")
P = Node("p", "equalizer")
Q = Node("q", "reverb")
M = Node("m", "mix")
OUT = Node("o", "out")

REFUSED = {
    "empty": ((), (), "no node is of type 'out'"),
    "no out": ((IN, P), (("a", "p"),), "no node is of type 'out'"),
    "two outs": ((IN, OUT, Node("z", "out")), (("a", "o"), ("a", "z")), "'o' and 'z'"),
    "same id": ((IN, P, Node("p", "reverb"), OUT), (("a", "p"), ("p", "o")), "two nodes are called 'p'"),
    "empty id": ((IN, Node("", "reverb"), OUT), (("a", "o"),), "type 'reverb' has an empty id"),
    "empty type": ((IN, Node("p", ""), OUT), (("a", "p"), ("p", "o")), "'p' has an empty type"),
    "no source": ((Node("a", "in"), OUT), (("a", "o"),), "'a' is an 'in' without a source"),
    "source": ((IN, Node("p", "reverb", "Kick"), OUT), (("a", "p"), ("p", "o")), "'p' of type 'reverb' has the source"),
    "unknown start": ((IN, OUT), (("a", "o"), ("x", "o")), "there is no node 'x'"),
    "unknown end": ((IN, OUT), (("a", "o"), ("a", "y")), "there is no node 'y'"),
    "in with input": ((IN, Node("b", "in", "Hat"), OUT), (("a", "b"), ("b", "o")), "'b' is an 'in' but 'a' feeds it"),
    "no input": ((IN, P, OUT), (("a", "o"), ("p", "o")), "'p' of type 'equalizer' has no input"),
    "mix without input": ((IN, M, OUT), (("a", "o"), ("m", "o")), "'m' of type 'mix' has no input"),
    "out without input": ((OUT,), (), "'o' of type 'out' has no input"),
    "unused in": ((IN, Node("b", "in", "Hat"), OUT), (("a", "o"),), "'b' of type 'in' feeds nothing"),
    "loose end": ((IN, P, OUT), (("a", "o"), ("a", "p")), "'p' of type 'equalizer' feeds nothing"),
    "out feeds": ((IN, OUT, P), (("a", "o"), ("o", "p"), ("p", "p")), "'p' feeds itself: 'p' -> 'p'"),
    "out feeds on": ((IN, OUT, P, Q), (("a", "o"), ("o", "p"), ("p", "q")), "'o' is the 'out' but feeds 'p'"),
    "cycle": ((IN, P, Q, OUT), (("a", "p"), ("p", "q"), ("q", "p"), ("q", "o")), "feeds itself: "),
}


@pytest.mark.parametrize(("nodes", "edges", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_mixing_graph_is_refused_by_name(nodes, edges, message):
    with pytest.raises(GraphError) as caught:
        Graph(nodes, edges)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_reported_cycle_is_a_cycle():
    ring = [Node(f"r{index}", "reverb") for index in range(5)]
    edges = [("a", "r0"), *((f"r{i}", f"r{(i + 1) % 5}") for i in range(5)), ("r4", "tail"), ("tail", "o")]
    with pytest.raises(GraphError) as caught:
        Graph((IN, Node("tail", "reverb"), *ring, OUT), tuple(edges))
    cycle = str(caught.value).split("feeds itself: ")[1].split(";")[0].replace("'", "").split(" -> ")
    assert len(cycle) == 6 and cycle[0] == cycle[-1]
    assert set(itertools.pairwise(cycle)) <= set(edges)


@given(random_graphs())
def test_order_is_topological_complete_and_stable(graph):
    position = {node.id: index for index, node in enumerate(graph.order)}
    assert sorted(position) == sorted(node.id for node in graph.nodes)
    assert all(position[start] < position[end] for start, end in graph.edges)
    assert Graph(graph.order, graph.edges).order == graph.order


@given(random_graphs())
def test_neighbours_and_types_are_those_of_the_edges(graph):
    for node in graph.nodes:
        assert graph.node(node.id) is node
        assert graph.predecessors(node.id) == tuple(start for start, end in graph.edges if end == node.id)
        assert graph.successors(node.id) == tuple(end for start, end in graph.edges if start == node.id)
        assert node.id in graph.ids_of(node.type)
    assert sum(len(graph.ids_of(type)) for type in graph.types) == len(graph.nodes)
    assert {node.id for node in graph.processors} == {n.id for n in graph.nodes if n.type not in ("in", "mix", "out")}
    assert {node.id for node in graph.inputs} == {node.id for node in graph.nodes if node.type == "in"}
    assert graph.output.type == "out"
    assert graph.ids_of("no such type") == ()


def test_graphs_are_values():
    first, second = (Graph((IN, P, OUT), (("a", "p"), ("p", "o"))) for _ in range(2))
    assert first == second and hash(first) == hash(second)
    assert first != Graph((IN, P, OUT), (("a", "p"), ("p", "o"), ("p", "o")))


@pytest.mark.parametrize("method", ["node", "predecessors", "successors"])
def test_an_unknown_id_is_refused(method):
    with pytest.raises(GraphError, match="no node 'nobody'"):
        getattr(Graph((IN, OUT), (("a", "o"),)), method)("nobody")
