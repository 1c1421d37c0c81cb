"""A graph cut into strands: unbranched runs of processors, each read in signal order, and what feeds what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from mixgraph.graph.graph import Graph
from mixgraph.graph.node import Node


@final
@dataclass(frozen=True)
class Strand:
    """A node that is not the plain continuation of another, and the processors that only it feeds, one after the other.

    `inputs` are the strands that feed the head, by id of their head, one per edge.
    """

    head: Node
    processors: tuple[Node, ...]
    inputs: tuple[str, ...]


def strands(graph: Graph) -> dict[str, Strand]:
    """All strands by the id of their head, in topological order; together they hold every node once."""
    continues = {
        node.id: before[0]
        for node in graph.processors
        if len(before := graph.predecessors(node.id)) == 1 and len(graph.successors(before[0])) == 1
    }
    head_of: dict[str, str] = {}
    members: dict[str, list[Node]] = {}
    for node in graph.order:
        head = head_of[continues[node.id]] if node.id in continues else node.id
        head_of[node.id] = head
        members.setdefault(head, []).append(node)
    return {
        head: Strand(nodes[0], tuple(nodes[1:]), tuple(head_of[before] for before in graph.predecessors(head)))
        for head, nodes in members.items()
    }
