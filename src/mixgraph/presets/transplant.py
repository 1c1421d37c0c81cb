"""Builds the graph of another song from the chains and subgroups of a found one."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from mixgraph.audio.song_file import suggestion
from mixgraph.errors import ConfigError
from mixgraph.graph.graph import Graph
from mixgraph.graph.node import IN, MIX, Node
from mixgraph.presets.chains import PREFIX, Chain, buses_of, chains_of, free_id
from mixgraph.presets.mapping import StemMapping

Edge = tuple[str, str]


@dataclass(frozen=True)
class Transplant:
    """A graph, and for each of its processors the node of the found graph that it is a copy of."""

    graph: Graph
    origins: dict[str, str]


def transplant(found: Graph, mapping: StemMapping, only: Collection[str] = ()) -> Transplant:
    """The graph of the mapping's tracks; `only` keeps the chains of some tracks and subgroups, by their names.

    Each track gets a copy of its chain. Subgroups that no track feeds are dropped, unknown ones are sums without
    processors. A track in no subgroup feeds the output, or several nodes where its chain did. Raises `ConfigError`
    for a name in `only` that the mapping has not.
    """
    chains, buses = chains_of(found), buses_of(found)
    own = {id for chain in chains.values() for id in chain.nodes}
    shared = [node for node in found.nodes if node.id not in own]
    created = [name for name in mapping.subgroups if name not in buses]
    ids = buses | {name: free_id(f"{PREFIX}{name}", {node.id for node in shared}) for name in created}
    nodes: list[Node] = []
    edges: list[Edge] = []
    origins: dict[str, str] = {}
    for track, match in mapping.tracks.items():
        bare = Node(f"track:{track}", IN, track)
        home = mapping.home(track)
        chain = chains[match.chain] if match.chain else Chain(track, (), (), (), None)
        names = {id: _renamed(id, found.node(id), match.chain or "", track) for id in chain.nodes}
        nodes += [_copy(found.node(id), name, track) for id, name in names.items()] or [bare]
        origins |= {name: id for id, name in names.items() if found.node(id).is_processor}
        edges += [(names[start], names[end]) for start, end in chain.inside]
        ends = [(names[start], end) for start, end in chain.outside] or [(bare.id, found.output.id)]
        bus = ids[home] if home is not None else found.output.id
        if bus != chain.bus and (chain.bus or home is not None):
            ends = [(start, bus) for start in dict.fromkeys(start for start, _ in ends)]
        edges += ends
    nodes += [*(Node(ids[name], MIX) for name in created), *shared]
    edges += [
        *((ids[name], found.output.id) for name in created),
        *(edge for edge in found.edges if edge[0] not in own),
    ]
    origins |= {node.id: node.id for node in shared if node.is_processor}
    graph = _fed(nodes, edges)
    if only:
        graph = graph.without(_others(graph, mapping, ids, only))
    return Transplant(graph, {node.id: origins[node.id] for node in graph.processors})


def _renamed(id: str, node: Node, chain: str, track: str) -> str:
    """The id of a copy: "track:KICK/equalizer" of KICK becomes "track:Bass drum/equalizer"."""
    if node.type == IN:
        # A track may enter a graph at several places.
        return f"track:{track}" + id.removeprefix(f"track:{chain}")
    return f"track:{track}/{id.removeprefix(f'track:{chain}/')}"


def _copy(node: Node, id: str, track: str) -> Node:
    return Node(id, node.type, track if node.type == IN else None)


def _fed(nodes: Iterable[Node], edges: Iterable[Edge]) -> Graph:
    """The graph without what no track feeds any more."""
    edges = tuple(edges)
    after: dict[str, list[str]] = {}
    for start, end in edges:
        after.setdefault(start, []).append(end)
    reached, waiting = set(), [node.id for node in nodes if node.type == IN]
    while waiting:
        id = waiting.pop()
        if id not in reached:
            reached.add(id)
            waiting += after.get(id, [])
    return Graph(
        tuple(node for node in nodes if node.id in reached), tuple(edge for edge in edges if edge[0] in reached)
    )


def _others(graph: Graph, mapping: StemMapping, ids: dict[str, str], only: Collection[str]) -> set[str]:
    """Processors that belong to none of the named tracks and subgroups."""
    chains = chains_of(graph)
    strands = {f"track:{track}": set(chains[track].nodes) for track in mapping.tracks}
    for name in mapping.subgroups:
        strands[f"{PREFIX}{name}"] = strand = {ids[name]}
        for node in graph.processors:
            if graph.predecessors(node.id) and strand.issuperset(graph.predecessors(node.id)):
                strand.add(node.id)
    kept: set[str] = set()
    for name in only:
        hits = [full for full in strands if name == full or name == full.partition(":")[2]]
        if len(hits) != 1:
            short = [full.partition(":")[2] for full in strands]
            cure = f"say {' or '.join(hits)}" if hits else suggestion(name, short, "known")
            raise ConfigError(f"--only '{name}': {'several have' if hits else 'nothing has'} that name; {cure}")
        kept |= strands[hits[0]]
    return {node.id for node in graph.processors if node.id not in kept}
