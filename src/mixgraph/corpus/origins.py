"""Whose signal passes a node of a graph: that of one track, of one subgroup, or of several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mixgraph.graph.graph import Graph
from mixgraph.graph.node import IN, OUT


def track_of(graph: Graph) -> dict[str, str | None]:
    """Per node the track whose signal alone passes there; None behind a sum."""
    found: dict[str, str | None] = {}
    for node in graph.order:
        before = graph.predecessors(node.id)
        found[node.id] = node.source if node.type == IN else found[before[0]] if _single(graph, node.id) else None
    return found


def subgroup_of(graph: Graph, subgroups: Mapping[str, Sequence[str]]) -> dict[str, str | None]:
    """Per node the subgroup whose signal alone passes there; None where several meet and at the output."""
    home = {track: name for name, members in subgroups.items() for track in members}
    found: dict[str, frozenset[str]] = {}
    for node in graph.order:
        own = {home.get(node.source, node.source)} if node.source is not None else set()
        found[node.id] = frozenset(own).union(*(found[name] for name in graph.predecessors(node.id)))
    return {
        node.id: next(iter(found[node.id])) if len(found[node.id]) == 1 and node.type != OUT else None
        for node in graph.nodes
    }


def _single(graph: Graph, id: str) -> bool:
    return graph.node(id).is_processor and len(graph.predecessors(id)) == 1
