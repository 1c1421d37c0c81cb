"""The chains of a found graph: the processors that only one track passes, up to the first sum with others."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from mixgraph.graph.graph import Graph
from mixgraph.graph.node import MIX

PREFIX = "subgroup:"


@dataclass(frozen=True)
class Chain:
    """One track's own nodes, its inputs among them, and the edges `inside` them and `outside` to what it shares.

    `bus` is the `mix` node that alone it feeds; None where it feeds the output or several nodes.
    """

    track: str
    nodes: tuple[str, ...]
    inside: tuple[tuple[str, str], ...]
    outside: tuple[tuple[str, str], ...]
    bus: str | None


def chains_of(graph: Graph) -> dict[str, Chain]:
    """The chain of every track, by the track's name."""
    chains = {}
    for track in dict.fromkeys(node.source for node in graph.inputs if node.source):
        own = {node.id for node in graph.inputs if node.source == track}
        for node in graph.processors:
            if own.issuperset(graph.predecessors(node.id)):
                own.add(node.id)
        edges = [edge for edge in graph.edges if edge[0] in own]
        outside = tuple(edge for edge in edges if edge[1] not in own)
        fed = {end for _, end in outside}
        only = fed.pop() if len(fed) == 1 else graph.output.id
        nodes = tuple(node.id for node in graph.nodes if node.id in own)
        inside = tuple(edge for edge in edges if edge[1] in own)
        chains[track] = Chain(track, nodes, inside, outside, only if graph.node(only).type == MIX else None)
    return chains


def subgroup_of(bus: str) -> str:
    """The name of the subgroup whose `mix` node this is."""
    return bus.removeprefix(PREFIX)


def buses_of(graph: Graph) -> dict[str, str]:
    """`mix` nodes by the names of their subgroups."""
    return {subgroup_of(bus): bus for bus in graph.ids_of(MIX)}


def free_id(id: str, taken: Collection[str]) -> str:
    """The id, numbered from 2 on where it is taken."""
    number, free = 2, id
    while free in taken:
        free, number = f"{id} {number}", number + 1
    return free
