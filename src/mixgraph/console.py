"""The mixing console that a search starts from (arXiv 2406.01049, section 3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

from mixgraph.errors import GraphError
from mixgraph.graph.graph import Graph
from mixgraph.graph.node import FIXED_TYPES, IN, MIX, OUT, Node


def build_console(tracks: Sequence[str], subgroups: Mapping[str, Sequence[str]], chain: Sequence[str]) -> Graph:
    """Every track through `chain` into the mix of its subgroup, every subgroup through `chain` into the output.

    `chain` holds processor names in order and may be empty; a track in no subgroup gets one of its own. Ids:
    "track:NAME", "track:NAME/PROCESSOR", "subgroup:NAME", "subgroup:NAME/PROCESSOR", "out" (a processor that
    occurs again in the chain is numbered: "track:NAME/PROCESSOR 2").
    Raises `GraphError` naming a track that is repeated, unknown or in two subgroups, or a subgroup without tracks.
    """
    out = Node("out", OUT)
    nodes: list[Node] = []
    edges: list[tuple[str, str]] = []

    def add_chain(head: Node) -> str:
        strand = [head]
        for index, type in enumerate(chain):
            if not type or type in FIXED_TYPES:
                raise GraphError(f"'{type}' in the chain is not a processor; give processor names such as 'equalizer'")
            again = chain[:index].count(type)
            strand.append(Node(f"{head.id}/{type}" + (f" {again + 1}" if again else ""), type))
        nodes.extend(strand)
        edges.extend((before.id, after.id) for before, after in pairwise(strand))
        return strand[-1].id

    members = _members(tracks, subgroups)
    ends = {track: add_chain(Node(f"track:{track}", IN, source=track)) for track in tracks}
    for subgroup, inside in members.items():
        mix = Node(f"subgroup:{subgroup}", MIX)
        edges.extend((ends[track], mix.id) for track in inside)
        edges.append((add_chain(mix), out.id))
    return Graph((*nodes, out), tuple(edges))


def _members(tracks: Sequence[str], subgroups: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    if not tracks:
        raise GraphError("a console needs at least one track; none was given")
    for track, times in Counter(tracks).items():
        if times > 1:
            raise GraphError(f"track '{track}' is given {times} times; track names are unique, rename one")
    homes: dict[str, str | None] = dict.fromkeys(tracks)
    for subgroup, inside in subgroups.items():
        if not inside:
            raise GraphError(f"subgroup '{subgroup}' has no tracks; add one or remove the subgroup")
        for track in inside:
            if track not in homes:
                raise GraphError(f"subgroup '{subgroup}' names the unknown track '{track}'; known: {', '.join(tracks)}")
            if homes[track] == subgroup:
                raise GraphError(f"subgroup '{subgroup}' names the track '{track}' twice; remove one")
            if homes[track] is not None:
                raise GraphError(f"track '{track}' is in subgroups '{homes[track]}' and '{subgroup}'; keep it in one")
            homes[track] = subgroup
    members = dict(subgroups)
    for track in (track for track, home in homes.items() if home is None):
        name, number = track, 2
        while name in members:
            name, number = f"{track} {number}", number + 1
        members[name] = [track]
    return members
