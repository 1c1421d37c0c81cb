"""`mixgraph show`: the graph of a result in the terminal."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from mixgraph.cli.codes import OK
from mixgraph.cli.summary import kept_of, loss_table
from mixgraph.cli.terminal import Terminal

if TYPE_CHECKING:
    from mixgraph.cli.tree import Line
    from mixgraph.result.result import Result

DESCRIPTION = """\
Shows the graph of a result as a tree. The output is at the top; signals run from the tracks at the tips towards it, and
under each name its processors stand in signal order, with their share of wet signal and their settings."""


def configure(parser: argparse.ArgumentParser) -> None:
    """The result, and how to show it."""
    parser.add_argument("result", type=Path, metavar="RESULT", help="result folder")
    parser.add_argument("--json", action="store_true", help="print JSON: losses, and nodes with their settings as text")


def run(options: argparse.Namespace) -> int:
    """Prints a header and the tree."""
    from mixgraph.cli.tree import graph_tree
    from mixgraph.result.result import Result

    terminal = Terminal(as_json=options.json)
    result = Result.load(options.result)
    lines = lines_of(result)
    if options.json:
        terminal.json_document(_document(result, lines))
        return OK
    provenance, ratio = result.provenance, result.metrics["pruning_ratio"]["total"]
    out = terminal.out
    out.print()
    counts = f"  {len(result.tracks)} tracks, {kept_of(result.metrics)} processors ({ratio:.0%} pruned)"
    out.print(Text.assemble((str(provenance["song"]), "bold"), counts))
    out.print()
    out.print(loss_table(result.metrics["loss"]))
    out.print()
    out.print(graph_tree(result.graph, lines))
    out.print()
    if result.graph.processors:
        node = result.graph.processors[0].id
        command = f"mixgraph render {options.result} -o node.wav --solo '{node}'"
        out.print(f"Percentages are the share of wet signal. To hear one node: {command}", style="dim", soft_wrap=True)
    return OK


def lines_of(result: Result) -> dict[str, Line]:
    """What is said of each processor, by node id."""
    from mixgraph.cli.tree import Line
    from mixgraph.processors.bank import make_processors

    processors = make_processors(tuple(result.bank.ids), result.config.audio.sample_rate, result.config.processors)
    physical, weights = result.physical(), result.bank.dry_wet()
    return {
        node.id: Line(weights[node.id], processors[node.type].summary(physical[node.id]))
        for node in result.graph.processors
    }


def _document(result: Result, lines: dict[str, Line]) -> dict[str, Any]:
    nodes = []
    for node in result.graph.order:
        said = {} if node.id not in lines else {"dry_wet": lines[node.id].dry_wet, "summary": lines[node.id].summary}
        source = {} if node.source is None else {"source": node.source}
        nodes.append({"id": node.id, "type": node.type} | source | said)
    edges = [{"from": start, "to": end} for start, end in result.graph.edges]
    return {"song": result.provenance["song"], "metrics": result.metrics, "nodes": nodes, "edges": edges}
