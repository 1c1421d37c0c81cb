"""A mixing graph as a console: one strip of processors per track and subgroup, as pages draw it."""

from __future__ import annotations

from typing import final

from pydantic import BaseModel, ConfigDict

from mixgraph.graph.graph import Graph
from mixgraph.graph.node import MIX


@final
class Slot(BaseModel):
    """One processor of a strip. `place` is what it is called within its strip: "equalizer", "equalizer 2"."""

    model_config = ConfigDict(frozen=True)
    id: str
    type: str
    place: str


@final
class Strip(BaseModel):
    """The processors of one track or subgroup, in signal order. `group` is the subgroup it belongs to or is."""

    model_config = ConfigDict(frozen=True)
    name: str
    group: str
    is_group: bool
    slots: tuple[Slot, ...]


def strips_of(graph: Graph) -> tuple[Strip, ...]:
    """The strips of a console, pruned or not: each subgroup, followed by its tracks; a track alone stands for both."""
    fed: dict[str, list[Strip]] = {node.id: [] for node in graph.order if node.type == MIX}
    for node in graph.inputs:
        slots, end = _run_from(graph, node.id)
        if end in fed:
            fed[end].append(Strip(name=node.source or node.id, group=_name(end), is_group=False, slots=slots))
    strips: list[Strip] = []
    for mix, tracks in fed.items():
        slots, _ = _run_from(graph, mix)
        strips += [Strip(name=_name(mix), group=_name(mix), is_group=True, slots=slots), *tracks]
    return tuple(strips)


def _run_from(graph: Graph, id: str) -> tuple[tuple[Slot, ...], str]:
    """The processors after a node, and the first node that is none."""
    slots: list[Slot] = []
    while (after := graph.successors(id)) and (node := graph.node(after[0])).is_processor:
        slots.append(Slot(id=node.id, type=node.type, place=node.id.rpartition("/")[2]))
        id = node.id
    return tuple(slots), after[0] if after else id


def _name(id: str) -> str:
    return id.partition(":")[2] or id
