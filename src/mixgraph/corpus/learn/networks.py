"""Graphs as `networkx.MultiDiGraph`, for the algorithms that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixgraph.corpus.extras import require
from mixgraph.corpus.origins import subgroup_of, track_of
from mixgraph.export.networkx import to_networkx as to_digraph
from mixgraph.result.result import Result

if TYPE_CHECKING:
    import networkx


def to_networkx(result: Result) -> networkx.MultiDiGraph:
    """The graph of a result; an edge given twice is there twice.

    Nodes have what an export to networkx gives them (`mixgraph.export.networkx.to_networkx`), and the `track` and the
    `subgroup` whose signal alone passes there (None behind the sum of several).
    """
    require("networkx", "pyg")
    import networkx

    plain, network = to_digraph(result), networkx.MultiDiGraph()
    tracks = track_of(result.graph)
    subgroups = subgroup_of(result.graph, result.provenance.get("subgroups", {}))
    for node in result.graph.nodes:
        network.add_node(node.id, **plain.nodes[node.id], track=tracks[node.id], subgroup=subgroups[node.id])
    network.add_edges_from(result.graph.edges)
    return network
