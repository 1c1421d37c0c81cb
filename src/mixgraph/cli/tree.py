"""The graph of a result as a tree in the terminal: the output is the root, the tracks are the leaves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from mixgraph.cli.strands import Strand, strands
from mixgraph.graph.graph import Graph
from mixgraph.graph.node import IN, MIX, OUT, Node

STYLES = {IN: "bold cyan", MIX: "bold magenta", OUT: "bold"}
KINDS = {IN: "track", MIX: "subgroup", OUT: "output"}
NAME_WIDTH = 24
GUIDE_WIDTH = 4


@dataclass(frozen=True)
class Line:
    """What is said of one processor: its dry/wet weight and its settings."""

    dry_wet: float
    summary: str


def graph_tree(graph: Graph, lines: Mapping[str, Line]) -> Tree:
    """Strands under the strand that they feed; one that feeds several is drawn once and referred to afterwards."""
    found = strands(graph)
    root = found[graph.output.id]
    tree = Tree(_label(root, lines, 0), guide_style="bright_black")
    _grow(tree, root, found, lines, seen=set(), depth=1)
    return tree


def _grow(
    branch: Tree, strand: Strand, found: Mapping[str, Strand], lines: Mapping[str, Line], *, seen: set[str], depth: int
) -> None:
    for head, times in Counter(strand.inputs).items():
        again = f" x{times}" if times > 1 else ""
        if head in seen:
            branch.add(Text.assemble(_name(found[head].head), (f"{again}  (see above)", "dim italic")))
            continue
        seen.add(head)
        child = branch.add(_label(found[head], lines, depth, again))
        _grow(child, found[head], found, lines, seen=seen, depth=depth + 1)


def _label(strand: Strand, lines: Mapping[str, Line], depth: int, again: str = "") -> RenderableType:
    head = strand.head
    title = Text.assemble(_name(head), (again, "yellow"))
    table = Table.grid(padding=(0, 2, 0, 0))
    # The guides of a tree push each level to the right; a narrower first column keeps the others in line.
    table.add_column(width=max(NAME_WIDTH - GUIDE_WIDTH * depth, 16), overflow="fold")
    table.add_column(justify="right", no_wrap=True, min_width=4)
    table.add_column(overflow="fold")
    shown = (head, *strand.processors) if head.is_processor else strand.processors
    for node in shown:
        line = lines[node.id]
        table.add_row(_processor(node, head), Text(f"{line.dry_wet:.0%}", style=_wetness(line.dry_wet)), line.summary)
    return Group(title, table) if shown else title


def _name(node: Node) -> Text:
    if node.is_processor:
        return Text(node.id, style="bold")
    prefix, colon, name = node.id.partition(":")
    if not colon:
        return Text(node.id, style=STYLES[node.type])
    return Text.assemble((f"{prefix}:", "dim"), (name, STYLES[node.type]))


def _processor(node: Node, head: Node) -> Text:
    """The node's id, without what the line above says already."""
    if node.id.startswith(f"{head.id}/"):
        return Text.assemble(("/", "dim"), node.id.removeprefix(f"{head.id}/"))
    return Text(node.type if node.id == head.id else node.id)


def _wetness(weight: float) -> str:
    return "green" if weight >= 0.5 else "yellow" if weight >= 0.1 else "dim"
