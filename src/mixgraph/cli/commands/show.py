"""Shows the graph of a result as a tree. The output is at the top; signals run from the tracks at the tips towards it,
and under each name its processors stand in signal order, with their share of wet signal and their settings."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from mixgraph.cli.terminal import Terminal, kept_of, loss_table, print_json
from mixgraph.graph.graph import Graph
from mixgraph.graph.node import IN, MIX, OUT, Node

if TYPE_CHECKING:
    from mixgraph.result.result import Result

STYLES = {IN: "bold cyan", MIX: "bold magenta", OUT: "bold"}
NAME_WIDTH = 24
GUIDE_WIDTH = 4


class Line(NamedTuple):
    """What is said of one processor: its dry/wet weight and its settings."""

    dry_wet: float
    summary: str


def configure(parser: argparse.ArgumentParser) -> None:
    """The result, and how to show it."""
    parser.add_argument("result", type=Path, metavar="RESULT", help="result folder")
    parser.add_argument("--json", action="store_true", help="print JSON: losses, and nodes with their settings as text")


def run(options: argparse.Namespace) -> None:
    """Prints a header and the tree."""
    from mixgraph.result.result import Result

    out = Terminal().out
    result = Result.load(options.result)
    lines, graph, song = lines_of(result), result.graph, result.provenance["song"]
    if options.json:
        nodes = [
            {"id": node.id, "type": node.type}
            | ({} if node.source is None else {"source": node.source})
            | (lines[node.id]._asdict() if node.id in lines else {})
            for node in graph.order
        ]
        edges = [{"from": start, "to": end} for start, end in graph.edges]
        print_json({"song": song, "metrics": result.metrics, "nodes": nodes, "edges": edges}, indent=1)
        return
    title = Text.assemble((str(song), "bold"), f"  {len(result.tracks)} tracks, {kept_of(result.metrics)}")
    if applied := result.provenance.get("applied"):
        title.append(f", found on {applied['song']}")
    losses = result.metrics["loss"]
    loss = loss_table(losses) if losses else "no loss: the song has no mix to compare with"
    out.print("", title, "", loss, "", graph_tree(graph, lines), "", sep="\n")
    if graph.processors:
        command = f"mixgraph render {options.result} -o node.wav --solo '{graph.processors[0].id}'"
        out.print(f"Percentages are the share of wet signal. To hear one node: {command}", style="dim", soft_wrap=True)


def lines_of(result: Result) -> dict[str, Line]:
    """What is said of each processor, by node id."""
    from mixgraph.processors.bank import make_processors

    processors = make_processors(tuple(result.bank.ids), result.config.audio.sample_rate, result.config.processors)
    physical, weights = result.physical(), result.bank.dry_wet()
    said = {node.id: processors[node.type].summary(physical[node.id]) for node in result.graph.processors}
    return {name: Line(weights[name], summary) for name, summary in said.items()}


def strand_to(graph: Graph, end: str) -> tuple[Node, ...]:
    """The unbranched run that ends at a node, in signal order: its head, and processors that it alone feeds."""
    node, before = graph.node(end), graph.predecessors(end)
    continues = node.is_processor and len(before) == 1 and len(graph.successors(before[0])) == 1
    return (*strand_to(graph, before[0]), node) if continues else (node,)


def graph_tree(graph: Graph, lines: Mapping[str, Line]) -> Tree:
    """Strands under the strand that they feed; one that feeds several is drawn once and referred to afterwards."""
    drawn: set[str] = set()

    def grow(branch: Tree, head: Node, depth: int) -> None:
        for end, times in Counter(graph.predecessors(head.id)).items():
            strand = strand_to(graph, end)
            again = f" x{times}" if times > 1 else ""
            if end in drawn:
                branch.add(Text.assemble(_name(strand[0]), (f"{again}  (see above)", "dim italic")))
            else:
                drawn.add(end)
                grow(branch.add(_label(strand, lines, depth, again)), strand[0], depth + 1)

    root = strand_to(graph, graph.output.id)
    tree = Tree(_label(root, lines, 0, ""), guide_style="bright_black")
    grow(tree, root[0], 1)
    return tree


def _label(strand: tuple[Node, ...], lines: Mapping[str, Line], depth: int, again: str) -> RenderableType:
    head = strand[0]
    table = Table.grid(padding=(0, 2, 0, 0))
    # The guides of a tree push each level to the right; a narrower first column keeps the others in line.
    table.add_column(width=max(NAME_WIDTH - GUIDE_WIDTH * depth, 16), overflow="fold")
    table.add_column(justify="right", no_wrap=True, min_width=4)
    table.add_column(overflow="fold")
    for node in strand if head.is_processor else strand[1:]:
        name = Text(node.type if node is head else node.id)
        if node.id.startswith(f"{head.id}/"):  # the title says the rest already
            name = Text.assemble(("/", "dim"), node.id.removeprefix(f"{head.id}/"))
        wet, summary = lines[node.id]
        style = "green" if wet >= 0.5 else "yellow" if wet >= 0.1 else "dim"
        table.add_row(name, Text(f"{wet:.0%}", style=style), summary)
    title = Text.assemble(_name(head), (again, "yellow"))
    return Group(title, table) if table.row_count else title


def _name(node: Node) -> Text:
    prefix, colon, name = node.id.partition(":")
    if node.is_processor or not colon:
        return Text(node.id, style=STYLES.get(node.type, "bold"))
    return Text.assemble((f"{prefix}:", "dim"), (name, STYLES[node.type]))
