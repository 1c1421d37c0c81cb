"""Nodes and the laws that make a mixing graph of them; every breach is a `GraphError` that names the node."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import final

from mixgraph.errors import GraphError

IN = "in"
MIX = "mix"
OUT = "out"
SUM_TYPES = frozenset({MIX, OUT})
FIXED_TYPES = SUM_TYPES | {IN}
Neighbours = Mapping[str, Sequence[str]]  # an id that has none may be missing


@final
@dataclass(frozen=True)
class Node:
    """A node: `type` is "in" (then `source` names its track), "mix", "out" or a processor's name."""

    id: str
    type: str
    source: str | None = None

    @property
    def is_processor(self) -> bool:
        """Whether the node can be removed."""
        return self.type not in FIXED_TYPES


def check_nodes(nodes: Sequence[Node]) -> None:
    """Raises unless ids are unique, exactly one node is the `out`, and each `in` has a source and no other has one."""
    seen: set[str] = set()
    for node in nodes:
        if not node.id:
            raise GraphError(f"a node of type '{node.type}' has an empty id; name it")
        if node.id in seen:
            raise GraphError(f"two nodes are called '{node.id}'; rename one")
        seen.add(node.id)
        if not node.type:
            raise GraphError(f"node '{node.id}' has an empty type; give 'in', 'mix', 'out' or a processor's name")
        if node.type == IN and not node.source:
            raise GraphError(f"node '{node.id}' is an 'in' without a source; name its track")
        if node.type != IN and node.source is not None:
            raise GraphError(f"'{node.id}' of type '{node.type}' has the source '{node.source}'; only an 'in' has one")
    outs = [f"'{node.id}'" for node in nodes if node.type == OUT]
    if len(outs) != 1:
        found = f"nodes {' and '.join(outs)} are both" if outs else "no node is"
        raise GraphError(f"{found} of type 'out'; a graph has exactly one")


def check_ends(nodes: Sequence[Node], predecessors: Neighbours, successors: Neighbours) -> None:
    """Raises unless signals start at every `in`, pass through all other nodes and end at the `out`."""
    for node in nodes:
        before, after = predecessors.get(node.id), successors.get(node.id)
        if node.type == IN and before:
            raise GraphError(f"node '{node.id}' is an 'in' but '{before[0]}' feeds it; remove that edge")
        if node.type == OUT and after:
            raise GraphError(f"node '{node.id}' is the 'out' but feeds '{after[0]}'; remove that edge")
        if node.type != IN and not before:
            raise GraphError(f"node '{node.id}' of type '{node.type}' has no input; connect a node to it or remove it")
        if node.type != OUT and not after:
            raise GraphError(f"node '{node.id}' of type '{node.type}' feeds nothing; connect it or remove it")


def topological_order(ids: Sequence[str], predecessors: Neighbours) -> list[str]:
    """Ids after their predecessors, as near to the order of `ids` as that allows; raises if there is a cycle."""
    position = {name: index for index, name in enumerate(ids)}
    sorter = TopologicalSorter({name: predecessors.get(name, ()) for name in ids})
    try:
        sorter.prepare()
    except CycleError as error:
        cycle = [f"'{name}'" for name in error.args[1]]
        raise GraphError(f"node {cycle[0]} feeds itself: {' -> '.join(cycle)}; remove one of these edges") from None
    order, ready = [], []
    while sorter.is_active():
        for name in sorter.get_ready():
            heapq.heappush(ready, position[name])
        order.append(ids[heapq.heappop(ready)])
        sorter.done(order[-1])
    return order
