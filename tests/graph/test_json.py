"""Graphs as JSON: exact round trip, agreement with the published schema, and every refusal with its place."""

from __future__ import annotations

import copy
import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixgraph.errors import GraphError
from mixgraph.graph.graph import Graph
from tests.strategies import random_consoles, random_graphs

SCHEMA = json.loads(files("mixgraph.graph").joinpath("graph.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
SMALL = {
    "schema_version": 1,
    "nodes": [
        {"id": "a", "type": "in", "source": "Kick"},
        {"id": "p", "type": "reverb"},
        {"id": "o", "type": "out"},
    ],
    "edges": [{"from": "a", "to": "p"}, {"from": "p", "to": "o"}],
}


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@given(st.one_of(random_graphs(), random_consoles()))
def test_round_trip_is_exact_and_fits_the_schema(graph):
    document = graph.to_json()
    VALIDATOR.validate(document)
    assert Graph.from_json(json.loads(json.dumps(document))) == graph


def test_what_a_result_adds_is_allowed_and_ignored():
    document = copy.deepcopy(SMALL)
    document["nodes"][1] |= {"parameters": {"decay_s": [1.2, 0.4]}, "dry_wet": 0.25}
    VALIDATOR.validate(document)
    assert Graph.from_json(document) == Graph.from_json(SMALL)
    assert Graph.from_json(document).to_json() == SMALL


REFUSED = [
    ((), [], "graph is []; expected an object"),
    ((), None, "graph is None; expected an object"),
    (("schema_version",), 2, "graph.schema_version is 2"),
    (("schema_version",), "1", "graph.schema_version is '1'; expected an integer"),
    (("schema_version",), True, "graph.schema_version is True; expected an integer"),
    (("nodes",), {}, "graph.nodes is {}; expected an array"),
    (("edges",), None, "graph.edges is None; expected an array"),
    (("extra",), 1, "graph has the unknown key 'extra'"),
    (("nodes", 1), "p", "graph.nodes[1] is 'p'; expected an object"),
    (("nodes", 1, "id"), 7, "graph.nodes[1].id is 7; expected a string"),
    (("nodes", 1, "id"), "", "empty id"),
    (("nodes", 1, "type"), None, "graph.nodes[1].type is None; expected a string"),
    (("nodes", 1, "type"), "", "'p' has an empty type"),
    (("nodes", 1, "type"), "out", "'p' and 'o' are both of type 'out'"),
    (("nodes", 2, "type"), "reverb", "no node is of type 'out'"),
    (("nodes", 1, "typ"), "reverb", "graph.nodes[1] has the unknown key 'typ'"),
    (("nodes", 0, "source"), None, "graph.nodes[0].source is None; expected a string"),
    (("nodes", 0, "source"), "", "'a' is an 'in' without a source"),
    (("nodes", 1, "source"), "Kick", "'p' of type 'reverb' has the source 'Kick'"),
    (("nodes", 1, "parameters"), [1], "graph.nodes[1].parameters is [1]; expected an object"),
    (("nodes", 1, "dry_wet"), "wet", "graph.nodes[1].dry_wet is 'wet'; expected a number"),
    (("nodes", 1, "dry_wet"), True, "graph.nodes[1].dry_wet is True; expected a number"),
    (("edges", 0), ["a", "p"], "graph.edges[0] is ['a', 'p']; expected an object"),
    (("edges", 1, "to"), 3, "graph.edges[1].to is 3; expected a string"),
    (("edges", 1, "weight"), 0.5, "graph.edges[1] has the unknown key 'weight'"),
]
MISSING = [
    (("schema_version",), "graph has no 'schema_version'"),
    (("nodes",), "graph has no 'nodes'"),
    (("edges",), "graph has no 'edges'"),
    (("nodes", 1, "id"), "graph.nodes[1] has no 'id'"),
    (("nodes", 1, "type"), "graph.nodes[1] has no 'type'"),
    (("nodes", 0, "source"), "'a' is an 'in' without a source"),
    (("edges", 0, "from"), "graph.edges[0] has no 'from'"),
    (("edges", 0, "to"), "graph.edges[0] has no 'to'"),
]


def assert_refused(document: Any, message: str) -> None:
    with pytest.raises(GraphError) as caught:
        Graph.from_json(document)
    assert message in str(caught.value)
    assert not VALIDATOR.is_valid(document)


@pytest.mark.parametrize(("place", "value", "message"), REFUSED)
def test_a_wrong_value_is_refused_with_its_place_and_by_the_schema(place, value, message):
    document: Any = copy.deepcopy(SMALL)
    if place:
        parent_of(document, place)[place[-1]] = value
    else:
        document = value
    assert_refused(document, message)


@pytest.mark.parametrize(("place", "message"), MISSING)
def test_a_missing_key_is_refused_with_its_place_and_by_the_schema(place, message):
    document = copy.deepcopy(SMALL)
    del parent_of(document, place)[place[-1]]
    assert_refused(document, message)


def test_a_document_is_held_to_the_laws_of_graphs():
    document = copy.deepcopy(SMALL)
    document["edges"].append({"from": "p", "to": "p"})
    with pytest.raises(GraphError, match="node 'p' feeds itself"):
        Graph.from_json(document)


def parent_of(document, place):
    for key in place[:-1]:
        document = document[key]
    return document
