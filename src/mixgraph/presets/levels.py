"""Brings each track to the loudness at which its chain was found, as gains that anybody can see and turn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from mixgraph.graph.graph import Graph
from mixgraph.graph.node import IN, Node
from mixgraph.presets.chains import chains_of, free_id
from mixgraph.processors.gain_panning import GainPanning

Mode = Literal["keep", "undo", "off"]
MODES: Final[tuple[Mode, ...]] = ("keep", "undo", "off")
FULLY_WET: Final = 30.0
"""A dry/wet logit whose sigmoid is 1 in single precision."""


def with_levels(graph: Graph, gains_db: Mapping[str, float], *, undo: bool) -> tuple[Graph, dict[str, float]]:
    """The graph with a gain in front of each track's chain and, with `undo`, its inverse behind; and the nodes' gains.

    The nodes are called "track:NAME/level" and "track:NAME/level undone", numbered where that is taken.
    """
    edges, added = list(graph.edges), {}
    taken = {node.id for node in graph.nodes}
    for track, gain_db in gains_db.items():
        chain, level = chains_of(graph)[track], f"track:{track}/level"
        for end in dict.fromkeys(start for start, _ in chain.outside) if undo else ():
            back = free_id(f"{level} undone", {*taken, *added})
            leaving = {edge for edge in chain.outside if edge[0] == end}
            edges = [(back, edge[1]) if edge in leaving else edge for edge in edges] + [(end, back)]
            added[back] = -gain_db
        for head in (id for id in chain.nodes if graph.node(id).type == IN):
            name = free_id(level, {*taken, *added})
            edges = [(name if start == head else start, end) for start, end in edges] + [(head, name)]
            added[name] = gain_db
    nodes = (*graph.nodes, *(Node(id, GainPanning.name) for id in added))
    return Graph(nodes, tuple(edges)), added
