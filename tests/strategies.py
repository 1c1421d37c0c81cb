"""Random mixing graphs and consoles for the laws that all of them obey: `from tests.strategies import ...`."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from mixgraph.console import build_console
from mixgraph.graph.graph import Graph
from mixgraph.graph.node import IN, MIX, OUT, Node

CHAIN = ("equalizer", "compressor", "noise_gate", "stereo_imager", "gain_panning", "multitap_delay", "reverb")


@st.composite
def random_graphs(draw: st.DrawFn, types: Sequence[str] = CHAIN, max_nodes: int = 12) -> Graph:
    """Any valid graph of 2 to `max_nodes` nodes: several inputs, mixes, nodes with several inputs, doubled edges.

    Nodes and edges are listed in no particular order.
    """
    inputs = draw(st.integers(1, min(3, max_nodes - 1)))
    middle = draw(st.lists(st.sampled_from((*types, MIX)), max_size=max_nodes - 1 - inputs))
    nodes = [Node(f"i{index}", IN, source=f"track {index}") for index in range(inputs)]
    edges: list[tuple[str, str]] = []
    for index, type in enumerate(middle):
        before = draw(st.lists(st.sampled_from(nodes), min_size=1, max_size=3))
        nodes.append(Node(f"n{index}", type))
        edges.extend((node.id, nodes[-1].id) for node in before)
    used = {start for start, _ in edges}
    extra = draw(st.lists(st.sampled_from(nodes), max_size=2))
    edges.extend((node.id, "o") for node in (*(node for node in nodes if node.id not in used), *extra))
    nodes.append(Node("o", OUT))
    return Graph(tuple(draw(st.permutations(nodes))), tuple(draw(st.permutations(edges))))


@st.composite
def pruned(draw: st.DrawFn, graphs: st.SearchStrategy[Graph]) -> Graph:
    """A graph with any of its processors removed."""
    graph = draw(graphs)
    return graph.without(draw(processor_ids(graph)))


@st.composite
def random_consoles(draw: st.DrawFn, chain: Sequence[str] = CHAIN, max_tracks: int = 6) -> Graph:
    """A full console over a part of `chain` (in its order, perhaps empty), tracks in any subgroups or none."""
    tracks = [f"t{index}" for index in range(draw(st.integers(1, max_tracks)))]
    homes = draw(st.lists(st.sampled_from(("drums", "vocals", "")), min_size=len(tracks), max_size=len(tracks)))
    subgroups: dict[str, list[str]] = {}
    for track, home in zip(tracks, homes, strict=True):
        if home:
            subgroups.setdefault(home, []).append(track)
    kept = draw(st.sets(st.sampled_from(chain)) if chain else st.just(set()))
    return build_console(tracks, subgroups, [type for type in chain if type in kept])


def processor_ids(graph: Graph) -> st.SearchStrategy[set[str]]:
    """Any set of the graph's processors."""
    ids = [node.id for node in graph.processors]
    return st.sets(st.sampled_from(ids)) if ids else st.just(set())
