"""Laws of drawings: left to right, nothing overlaps, trees have no crossings."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixgraph.console import build_console
from mixgraph.graph.graph import Graph
from mixgraph.graph.layout import Layout, lay_out
from mixgraph.graph.node import IN, MIX, Node
from tests.strategies import pruned, random_consoles, random_graphs

GRAPHS = st.one_of(random_graphs(), pruned(random_consoles()))
SIZES = {IN: (5.0, 1.0), MIX: (3.0, 2.0)}


def size(node: Node) -> tuple[float, float]:
    return SIZES.get(node.type, (1.0, 1.0))


def crossings(layout: Layout) -> int:
    """Pairs of routes whose straight pieces cross strictly."""

    def turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
        value = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        return 0.0 if abs(value) < 1e-9 else value

    pieces = [(route, *piece) for route in layout.routes for piece in pairwise(route.points)]
    return sum(
        turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0
        for (one, a, b), (other, c, d) in combinations(pieces, 2)
        if one is not other
    )


@given(GRAPHS)
def test_every_node_stands_once_and_inside(graph: Graph) -> None:
    layout = lay_out(graph, size=size)
    assert set(layout.boxes) == {node.id for node in graph.nodes}
    for node in graph.nodes:
        box = layout.boxes[node.id]
        assert (box.width, box.height) == size(node)
        assert box.left > -1e-9 and box.right < layout.width + 1e-9
        assert box.y - box.height / 2 > -1e-9 and box.y + box.height / 2 < layout.height + 1e-9


@given(GRAPHS)
def test_boxes_keep_their_distance(graph: Graph) -> None:
    boxes = lay_out(graph, size=size, column_gap=0.5, row_gap=0.25).boxes.values()
    for one, other in combinations(boxes, 2):
        beside = abs(one.x - other.x) > (one.width + other.width) / 2 + 0.5 - 1e-9
        below = abs(one.y - other.y) > (one.height + other.height) / 2 + 0.25 - 1e-9
        assert beside or below


@given(GRAPHS)
def test_routes_run_from_left_to_right_and_carry_every_edge(graph: Graph) -> None:
    layout = lay_out(graph, size=size)
    assert sorted((route.start, route.end) for route in layout.routes for _ in range(route.count)) == sorted(
        graph.edges
    )
    for route in layout.routes:
        start, end = layout.boxes[route.start], layout.boxes[route.end]
        assert route.points[0] == (start.right, start.y) and route.points[-1] == (end.left, end.y)
        assert all(one[0] <= other[0] for one, other in pairwise(route.points))


@given(pruned(random_consoles()))
def test_routes_pass_no_box(graph: Graph) -> None:
    layout = lay_out(graph, size=size)
    for route in layout.routes:
        for name, box in layout.boxes.items():
            if name in (route.start, route.end):
                continue
            for (left, upper), (right, lower) in pairwise(route.points):
                inside_x = left < box.right - 1e-9 and right > box.left + 1e-9
                if inside_x and upper == lower:
                    assert abs(upper - box.y) > box.height / 2


@given(pruned(random_consoles()))
def test_trees_have_no_crossings(graph: Graph) -> None:
    assert crossings(lay_out(graph, size=size)) == 0


@given(GRAPHS)
def test_equal_graphs_are_drawn_alike(graph: Graph) -> None:
    assert lay_out(graph) == lay_out(Graph(graph.nodes, graph.edges))


def test_subgroups_share_a_column_and_chains_are_straight() -> None:
    graph = build_console(["a", "b", "c"], {"ab": ["a", "b"]}, ["equalizer", "reverb"]).without(
        ["track:a/equalizer", "subgroup:ab/reverb"]
    )
    boxes = lay_out(graph, size=size).boxes
    assert boxes["subgroup:ab"].left == boxes["subgroup:c"].left
    assert boxes["track:b"].y == boxes["track:b/equalizer"].y == boxes["track:b/reverb"].y
    assert boxes["subgroup:ab"].y == pytest.approx((boxes["track:a"].y + boxes["track:b"].y) / 2)


def test_a_crossing_that_need_not_be_is_removed() -> None:
    nodes = (*(Node(f"i{n}", IN, source=f"{n}") for n in range(2)), Node("m0", MIX), Node("m1", MIX))
    edges = (("i0", "m1"), ("i1", "m0"), ("m0", "k"), ("m1", "k"), ("i0", "k"), ("k", "o"))
    graph = Graph((*nodes, Node("k", MIX), Node("o", "out")), edges)
    assert crossings(lay_out(graph)) == 0


def test_a_long_chain_needs_no_deep_recursion() -> None:
    count = 1_500
    nodes = [Node("i", IN, source="t"), *(Node(f"{n}", "equalizer") for n in range(count)), Node("o", "out")]
    layout = lay_out(Graph(tuple(nodes), tuple((a.id, b.id) for a, b in pairwise(nodes))))
    assert layout.height == 1.0
