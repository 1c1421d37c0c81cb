"""The mixing graph: immutable, valid by construction, with stable node ids."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

from mixgraph.errors import GraphError
from mixgraph.graph.json import from_document, to_document
from mixgraph.graph.node import IN, OUT, Node, check_ends, check_nodes, topological_order


@final
@dataclass(frozen=True)
class Graph:
    """Nodes and edges `(from, to)`; a node's input is the sum over its edges, so an edge given twice adds twice.

    Raises `GraphError` naming the node unless the graph is acyclic, leads from `in` nodes to one `out`, has unique
    ids and no loose ends.
    """

    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        check_nodes(self.nodes)
        for start, end in self.edges:
            if unknown := [name for name in (start, end) if name not in self._nodes]:
                raise GraphError(f"edge '{start}' -> '{end}': there is no node '{unknown[0]}'; add it or drop the edge")
        check_ends(self.order, self._predecessors, self._successors)

    def node(self, id: str) -> Node:
        """The node with this id; `GraphError` if there is none."""
        if id not in self._nodes:
            raise GraphError(f"there is no node '{id}' in the graph; `Graph.nodes` holds those that there are")
        return self._nodes[id]

    def predecessors(self, id: str) -> tuple[str, ...]:
        """Ids that feed the node, one per edge, in the order of the edges."""
        return self._predecessors.get(self.node(id).id, ())

    def successors(self, id: str) -> tuple[str, ...]:
        """Ids that the node feeds, one per edge, in the order of the edges."""
        return self._successors.get(self.node(id).id, ())

    @cached_property
    def order(self) -> tuple[Node, ...]:
        """Nodes after their predecessors, as near to the order of `nodes` as that allows."""
        return tuple(map(self.node, topological_order(tuple(self._nodes), self._predecessors)))

    @cached_property
    def processors(self) -> tuple[Node, ...]:
        """Nodes that can be removed, in `order`."""
        return tuple(node for node in self.order if node.is_processor)

    @property
    def inputs(self) -> tuple[Node, ...]:
        """Nodes of type "in", in `order`."""
        return tuple(map(self.node, self.ids_of(IN)))

    @property
    def output(self) -> Node:
        """The node of type "out"."""
        return self.node(self.ids_of(OUT)[0])

    @property
    def types(self) -> tuple[str, ...]:
        """Types that occur, by first appearance in `order`."""
        return tuple(self._ids_by_type)

    def ids_of(self, type: str) -> tuple[str, ...]:
        """Ids of one type, in `order`; empty if it does not occur."""
        return self._ids_by_type.get(type, ())

    def without(self, ids: Collection[str]) -> Graph:
        """The graph with processors removed and their inputs connected to their outputs (arXiv 2406.01049, section 4).

        An edge from a removed node becomes, in its place, one edge from each of that node's own inputs: so removing
        nodes one by one, in any order, gives the same edges in the same order as removing them at once.
        Raises `GraphError` for an unknown id or a node that is not a processor.
        """
        removed = frozenset(ids)
        for node in map(self.node, sorted(removed)):
            if not node.is_processor:
                raise GraphError(f"node '{node.id}' of type '{node.type}' cannot be removed; only processors can")
        feeds: dict[str, tuple[str, ...]] = {}
        for node in self.order:
            if node.id in removed:
                before = self.predecessors(node.id)
                feeds[node.id] = tuple(source for name in before for source in feeds.get(name, (name,)))
        kept = (edge for edge in self.edges if edge[1] not in removed)
        edges = tuple((source, end) for start, end in kept for source in feeds.get(start, (start,)))
        return Graph(tuple(node for node in self.nodes if node.id not in removed), edges)

    def without_sources(self, sources: Collection[str]) -> Graph:
        """The graph without the inputs of some tracks and without what only they feed; `GraphError` if that is all."""
        fed: set[str] = set()
        for node in self.order:
            if node.source not in sources if node.type == IN else fed.intersection(self.predecessors(node.id)):
                fed.add(node.id)
        edges = tuple(edge for edge in self.edges if fed.issuperset(edge))
        return Graph(tuple(node for node in self.nodes if node.id in fed), edges)

    def to_json(self) -> dict[str, Any]:
        """The document described by `graph.schema.json`."""
        return to_document(self.nodes, self.edges)

    @classmethod
    def from_json(cls, document: object) -> Graph:
        """The graph of a parsed JSON document; `GraphError` with the place of the first fault."""
        return cls(*from_document(document))

    @cached_property
    def _nodes(self) -> dict[str, Node]:
        return {node.id: node for node in self.nodes}

    @cached_property
    def _predecessors(self) -> dict[str, tuple[str, ...]]:
        return group((end, start) for start, end in self.edges)

    @cached_property
    def _successors(self) -> dict[str, tuple[str, ...]]:
        return group(self.edges)

    @cached_property
    def _ids_by_type(self) -> dict[str, tuple[str, ...]]:
        return group((node.type, node.id) for node in self.order)


def group(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Second members by first member, both in the order of their appearance."""
    groups: dict[str, list[str]] = {}
    for first, second in pairs:
        groups.setdefault(first, []).append(second)
    return {first: tuple(seconds) for first, seconds in groups.items()}
