"""The tree of a graph: every node once, in signal order, for consoles and for any other graph."""

from __future__ import annotations

import io
import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from mixgraph.cli import main
from mixgraph.cli.commands.show import Line, graph_tree, strand_to
from mixgraph.graph.graph import Graph
from mixgraph.graph.node import Node
from mixgraph.result.result import Result
from tests.strategies import pruned, random_consoles, random_graphs

graphs = pruned(st.one_of(random_graphs(), random_consoles()))
Capture = pytest.CaptureFixture[str]


def drawn(graph: Graph, width: int) -> list[str]:
    lines = {node.id: Line(0.5, f"said of {node.id}") for node in graph.processors}
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(graph_tree(graph, lines))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def strands(graph: Graph) -> list[tuple[Node, ...]]:
    """All strands, from the output on."""
    found: dict[str, tuple[Node, ...]] = {}
    ends = [graph.output.id]
    for end in ends:
        found[end] = strand_to(graph, end)
        ends += [before for before in graph.predecessors(found[end][0].id) if before not in {*found, *ends}]
    return list(found.values())


@given(graphs)
def test_strands_hold_every_node_once_in_signal_order(graph: Graph) -> None:
    found = strands(graph)
    assert Counter(node.id for strand in found for node in strand) == Counter(node.id for node in graph.nodes)
    ends = {strand[-1].id for strand in found}
    for strand in found:
        assert ends.issuperset(graph.predecessors(strand[0].id))
        assert all(node.is_processor for node in strand[1:])
        for before, after in pairwise(strand):
            assert graph.predecessors(after.id) == (before.id,) and graph.successors(before.id) == (after.id,)


@given(graphs)
def test_tree_draws_every_node_once(graph: Graph) -> None:
    text = "\n".join(drawn(graph, 4_000))
    said = Counter(line.split("said of ")[1].strip() for line in text.splitlines() if "said of " in line)
    assert said == Counter(node.id for node in graph.processors)
    references = sum(len(set(graph.predecessors(head.id))) for head, *_ in strands(graph)) - (len(strands(graph)) - 1)
    assert text.count("(see above)") == references


def test_signals_used_twice_are_drawn_once() -> None:
    graph = Graph(
        (
            Node("track:a", "in", "a"),
            Node("send", "reverb"),
            Node("track:b", "in", "b"),
            Node("bus", "mix"),
            Node("bus/gain", "gain_panning"),
            Node("out", "out"),
        ),
        (
            ("track:a", "bus"),
            ("track:a", "send"),
            ("track:b", "bus"),
            ("track:b", "bus"),
            ("bus", "bus/gain"),
            ("bus/gain", "out"),
            ("send", "out"),
        ),
    )
    assert [line.split() for line in drawn(graph, 80)] == [
        ["out"],
        ["├──", "bus"],
        ["│", "/gain", "50%", "said", "of", "bus/gain"],
        ["│", "├──", "track:a"],
        ["│", "└──", "track:b", "x2"],
        ["└──", "send"],
        ["reverb", "50%", "said", "of", "send"],
        ["└──", "track:a", "(see", "above)"],
    ]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_show_fits_the_terminal(width: int, finished: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    assert main(["show", str(finished)]) == 0
    lines = capsys.readouterr().out.splitlines()
    result = Result.load(finished)
    assert lines[1].startswith("tiny  3 tracks, ")
    kept = result.metrics["processors"]["kept"]["total"]
    assert f"{kept} of 20 processors" in lines[1]
    assert f"{result.metrics['loss']['pruned']['published']:.3f}" in "".join(lines)
    assert all(len(line) <= width for line in lines if "mixgraph render" not in line)
    for track in ("bass", "drums", "voice"):
        assert sum(line.endswith(f" track:{track}") for line in lines) == 1
    assert sum("%" in line and "/" in line for line in lines[2:]) >= kept


def test_show_as_json(finished: Path, capsys: Capture) -> None:
    assert main(["show", str(finished), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    result = Result.load(finished)
    assert {node["id"] for node in document["nodes"]} == {node.id for node in result.graph.nodes}
    weights = {node["id"]: node["dry_wet"] for node in document["nodes"] if "dry_wet" in node}
    assert weights == pytest.approx(result.bank.dry_wet())
    assert all(node["summary"] for node in document["nodes"] if "dry_wet" in node)
    assert document["metrics"] == result.metrics
    assert [(edge["from"], edge["to"]) for edge in document["edges"]] == list(result.graph.edges)
