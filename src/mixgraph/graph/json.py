"""Graphs as JSON documents (`graph.schema.json`, published with the package)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mixgraph.errors import GraphError
from mixgraph.graph.node import Node

SCHEMA_VERSION = 1
GRAPH = {"schema_version": "an integer", "nodes": "an array", "edges": "an array"}
NODE = {"id": "a string", "type": "a string", "source": "a string", "parameters": "an object", "dry_wet": "a number"}
EDGE = {"from": "a string", "to": "a string"}
# The last two come with a result; a bare graph ignores them.
OPTIONAL = frozenset({"source", "parameters", "dry_wet"})
# Exact types, because Python's bool is an int and JSON's is not.
KINDS = {"a string": [str], "an integer": [int], "a number": [int, float], "an array": [list], "an object": [dict]}


def to_document(nodes: Sequence[Node], edges: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The JSON document of a graph."""
    return {
        "schema_version": SCHEMA_VERSION,
        "nodes": [{key: value for key, value in vars(node).items() if value is not None} for node in nodes],
        "edges": [{"from": start, "to": end} for start, end in edges],
    }


def from_document(document: object) -> tuple[tuple[Node, ...], tuple[tuple[str, str], ...]]:
    """Nodes and edges of a JSON document; `GraphError` with the place of the first fault."""
    top = _fields(document, "graph", GRAPH)
    version = top["schema_version"]
    if version != SCHEMA_VERSION:
        raise GraphError(f"graph.schema_version is {version}, not {SCHEMA_VERSION}; use the mixgraph that wrote it")
    nodes = (_fields(item, f"graph.nodes[{index}]", NODE) for index, item in enumerate(top["nodes"]))
    edges = (_fields(item, f"graph.edges[{index}]", EDGE) for index, item in enumerate(top["edges"]))
    return (
        tuple(Node(node["id"], node["type"], node.get("source")) for node in nodes),
        tuple((edge["from"], edge["to"]) for edge in edges),
    )


def _fields(value: object, place: str, kinds: Mapping[str, str]) -> dict[str, Any]:
    """The fields of the JSON object at `place`, each of the kind that `kinds` names."""
    if not isinstance(value, dict):
        raise GraphError(f"{place} is {value!r:.60}; expected an object")
    for key, found in value.items():
        if key not in kinds:
            raise GraphError(f"{place} has the unknown key {key!r:.60}; known: {', '.join(kinds)}")
        if type(found) not in KINDS[kinds[key]]:
            raise GraphError(f"{place}.{key} is {found!r:.60}; expected {kinds[key]}")
    for key in kinds:
        if key not in value and key not in OPTIONAL:
            raise GraphError(f"{place} has no '{key}'; add it")
    return value
