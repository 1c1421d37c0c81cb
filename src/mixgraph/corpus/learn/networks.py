"""Graphs as `networkx.MultiDiGraph`, for the algorithms that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixgraph.corpus.extras import require
from mixgraph.corpus.tables.rows import subgroup_of, track_of
from mixgraph.result.result import Result

if TYPE_CHECKING:
    import networkx


def to_networkx(result: Result) -> networkx.MultiDiGraph:
    """The graph of a result; an edge given twice is there twice.

    Nodes are ids with `type`, `track` and `subgroup` (None behind the sum of several); those of processors have
    `dry_wet` and `parameters`, physical values as numbers and lists.
    """
    require("networkx", "pyg")
    import networkx

    network = networkx.MultiDiGraph()
    tracks = track_of(result.graph)
    subgroups = subgroup_of(result.graph, result.provenance.get("subgroups", {}))
    physical, weights = result.physical(), result.bank.dry_wet()
    for node in result.graph.nodes:
        network.add_node(node.id, type=node.type, track=tracks[node.id], subgroup=subgroups[node.id])
        if node.is_processor:
            parameters = {name: value.tolist() for name, value in physical[node.id].items()}
            network.nodes[node.id].update(dry_wet=weights[node.id], parameters=parameters)
    network.add_edges_from(result.graph.edges)
    return network
