"""The exported graph is the result's, read by networkx itself."""

from __future__ import annotations

import json
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from mixgraph.errors import ResultError
from mixgraph.export.networkx import load_graph, to_networkx
from mixgraph.export.write import export_result
from mixgraph.graph.graph import Graph
from mixgraph.graph.node import IN, MIX, OUT, Node
from mixgraph.result.result import Result
from tests.report.sample import make_result, make_song


def test_nodes_edges_and_parameters_are_the_results(result: Result, tmp_path: Path) -> None:
    export_result(result, "networkx", tmp_path / "out")
    graph = load_graph(tmp_path / "out")
    assert isinstance(graph, nx.DiGraph) and nx.is_directed_acyclic_graph(graph)
    assert set(graph.edges) == set(result.graph.edges)
    assert {id: data["type"] for id, data in graph.nodes(data=True)} == {n.id: n.type for n in result.graph.nodes}
    assert {data["source"] for _, data in graph.nodes(data=True) if "source" in data} == set(result.tracks)
    weights = result.bank.dry_wet()
    for id, values in result.physical().items():
        assert graph.nodes[id]["dry_wet"] == weights[id]
        for name, value in values.items():
            np.testing.assert_array_equal(graph.nodes[id]["parameters"][name], np.asarray(value.tolist()))
    assert nx.utils.graphs_equal(graph, to_networkx(result))


def test_graphml_is_read_back(result: Result, tmp_path: Path) -> None:
    export_result(result, "networkx", tmp_path / "out")
    graph = nx.read_graphml(tmp_path / "out" / "graph.graphml")
    assert set(graph.edges) == set(result.graph.edges)
    for id, values in result.physical().items():
        parameters = json.loads(graph.nodes[id]["parameters"])
        assert parameters.keys() == values.keys()
        assert graph.nodes[id]["dry_wet"] == pytest.approx(result.bank.dry_wet()[id])


def test_an_edge_that_counts_twice_says_so(tmp_path: Path) -> None:
    nodes = (Node("track:a", IN, "a"), Node("group", MIX), Node("out", OUT))
    edges = (("track:a", "group"), ("track:a", "group"), ("group", "out"))
    result = make_result(make_song(("a",), seconds=1.5), Graph(nodes, edges))
    export_result(result, "networkx", tmp_path / "out")
    graph = load_graph(tmp_path / "out")
    assert [data["times"] for _, _, data in graph.edges(data=True)] == [2, 1]


@pytest.mark.parametrize("content", ["[]", "{", '{"nodes": 3}', '{"nodes": [{}], "edges": []}'])
def test_other_files_are_named(content: str, tmp_path: Path) -> None:
    (tmp_path / "graph.json").write_text(content)
    with pytest.raises(ResultError, match=r"graph\.json"):
        load_graph(tmp_path)
