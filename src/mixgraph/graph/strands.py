"""A graph as strips of a mixing desk: heads, the processors in a row behind each, and what the row feeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mixgraph.graph.graph import Graph
from mixgraph.graph.node import IN, MIX, OUT

Kind = Literal["track", "subgroup", "branch"]


@dataclass(frozen=True)
class Strand:
    """`head` is an input, a sum, or a processor behind a fork or a join; `processors` follow it (or begin with it)."""

    head: str
    processors: tuple[str, ...]
    feeds: tuple[str, ...]

    @property
    def end(self) -> str:
        """The node whose output leaves the strand."""
        return self.processors[-1] if self.processors else self.head


def strands(graph: Graph) -> tuple[Strand, ...]:
    """Every node but the output in one strand, in the graph's order of their heads; `feeds` holds heads or the output.

    A processor goes on the strand before it where nothing else meets and nothing forks.
    """
    rows: dict[str, list[str]] = {}
    head: dict[str, str] = {}
    for node in graph.order:
        before = graph.predecessors(node.id)
        continues = node.is_processor and len(before) == 1 and len(graph.successors(before[0])) == 1
        head[node.id] = head[before[0]] if continues else node.id
        if node.type != OUT:
            rows.setdefault(head[node.id], []).append(node.id)
    return tuple(
        Strand(name, tuple(id for id in row if graph.node(id).is_processor), graph.successors(row[-1]))
        for name, row in rows.items()
    )


def node_name(graph: Graph, id: str) -> str:
    """What people call a node: the track, the subgroup, `Mix` for the output, else the id."""
    node = graph.node(id)
    if node.type == OUT:
        return "Mix"
    return node.source or (id.removeprefix("subgroup:") if node.type == MIX else id)


def node_kind(graph: Graph, id: str) -> Kind:
    """What the head of a strand is."""
    type = graph.node(id).type
    return "track" if type == IN else "subgroup" if type == MIX else "branch"
