"""Type scheduling: a graph as a short sequence of batches of one type (arXiv 2408.03204, section 3)."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import final

from mixgraph.errors import ConfigError, GraphError
from mixgraph.graph.graph import Graph, group
from mixgraph.graph.node import FIXED_TYPES, IN, MIX, OUT

METHODS: tuple[str, ...] = ("one_by_one", "greedy", "beam", "fixed")


@final
@dataclass(frozen=True)
class Batch:
    """Nodes of one type that are computed together, in the graph's order."""

    type: str
    ids: tuple[str, ...]


def schedule(
    graph: Graph, method: str = "fixed", *, order: Sequence[str] | None = None, width: int = 32
) -> tuple[Batch, ...]:
    """All nodes in batches of one type, each after its predecessors; the same graph always gives the same schedule.

    `order` (types) is for "fixed" and defaults to that of the graph's chains; `width` is for "beam".
    Raises `ConfigError` for an unknown method, `GraphError` if `order` lacks a type of the graph.
    """
    match method:
        case "one_by_one":
            return tuple(Batch(node.type, (node.id,)) for node in graph.order)
        case "greedy":
            return _batches(graph, lambda ready: max(ready, key=lambda batch: len(batch.ids)))
        case "beam":
            return _beam(graph, width)
        case "fixed":
            return _fixed(graph, console_order(graph) if order is None else order)
    raise ConfigError(f"unknown scheduling method '{method}'; known: {', '.join(METHODS)}")


def console_order(graph: Graph) -> tuple[str, ...]:
    """The graph's types in the order of its chains: in, processors, mix, out.

    Always next is the processor type with the fewest edges from those still to come; of equals, the first to appear.
    """
    types = {node.id: node.type for node in graph.nodes}
    edges = Counter((types[start], types[end]) for start, end in graph.edges if types[start] != types[end])
    left = [type for type in graph.types if type not in FIXED_TYPES]
    ordered = []
    while left:
        ordered.append(min(left, key=lambda type: sum(edges[other, type] for other in left)))
        left.remove(ordered[-1])
    return (IN, *ordered, *((MIX,) if graph.ids_of(MIX) else ()), OUT)


def _fixed(graph: Graph, order: Sequence[str]) -> tuple[Batch, ...]:
    """The types of `order` round and round: a pruned console of any size takes at most two rounds."""
    for type in graph.types:
        if type not in order:
            first = graph.ids_of(type)[0]
            raise GraphError(f"node '{first}' is of type '{type}', which the order lacks: {', '.join(order)}")
    turns = cycle(order)
    return _batches(graph, lambda ready: next(batch for type in turns for batch in ready if batch.type == type))


def _beam(graph: Graph, width: int) -> tuple[Batch, ...]:
    """The shortest schedule that a beam of `width` sequences of batches finds, never longer than the greedy one.

    GRAFX ranks sequences by the nodes done; here the fewest types left come first, as each needs a batch, and
    sequences that leave the same nodes count once.
    """
    if width < 1:
        raise ConfigError(f"beam width is {width}; give at least 1")
    shortest = schedule(graph, "greedy")
    types = {node.id: node.type for node in graph.nodes}
    beam: dict[frozenset[str], tuple[Batch, ...]] = {frozenset(types): ()}  # the batches so far, by the nodes left
    # Every round adds one batch, and what cannot beat the greedy schedule is dropped, so this ends.
    for done in range(1, len(shortest)):
        found: dict[frozenset[str], tuple[Batch, ...]] = {}
        for left, batches in beam.items():
            for batch in _ready(graph, left):
                found.setdefault(left.difference(batch.ids), (*batches, batch))
        if frozenset() in found:
            return found[frozenset()]
        bounds = {left: len({types[name] for name in left}) for left in found}
        hopeful = [left for left in found if done + bounds[left] < len(shortest)]
        best = heapq.nsmallest(width, hopeful, key=lambda left: (bounds[left], len(left)))
        beam = {left: found[left] for left in best}
    return shortest


def _batches(graph: Graph, choose: Callable[[Sequence[Batch]], Batch]) -> tuple[Batch, ...]:
    """The schedule that takes the chosen of all possible batches until no node is left."""
    left = frozenset(node.id for node in graph.nodes)
    batches = []
    while left:
        batches.append(choose(_ready(graph, left)))
        left = left.difference(batches[-1].ids)
    return tuple(batches)


def _ready(graph: Graph, left: frozenset[str]) -> list[Batch]:
    """For each type the nodes of `left` that wait for none of `left`, by first appearance in the graph's order."""
    waiting = (node for node in graph.order if node.id in left)
    ready = (node for node in waiting if left.isdisjoint(graph.predecessors(node.id)))
    return [Batch(type, ids) for type, ids in group((node.type, node.id) for node in ready).items()]
