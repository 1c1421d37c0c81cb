"""What a search found beside what was done, track by track."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table
from rich.text import Text

from mixgraph.cli.summary import plain_table
from mixgraph.cli.tree import Line
from mixgraph.graph.graph import Graph
from mixgraph.graph.node import IN, MIX

PRUNED = Text("-", style="dim")


def truth_table(graph: Graph, lines: Mapping[str, Line], truth: Mapping[str, Mapping[str, str]]) -> Table:
    """A row for each processor that was used or found; `truth` has settings as text by track and processor type."""
    table = plain_table()
    table.add_column("track", style="bold", no_wrap=True)
    table.add_column("processor", no_wrap=True)
    table.add_column("done", overflow="fold", ratio=1)
    table.add_column("found", overflow="fold", ratio=1)
    table.add_column("wet", justify="right", no_wrap=True)
    for owner, found in _by_owner(graph).items():
        done = truth.get(owner.partition(":")[2], {}) if owner.startswith("track:") else {}
        title = owner.partition(":")[2] if owner.startswith("track:") else owner
        for kind in dict.fromkeys([*done, *found]):
            line = lines.get(found.get(kind, ""))
            wrong = "yellow" if (kind in done) != (line is not None) else ""
            table.add_row(
                title,
                Text(kind.replace("_", " "), style=wrong),
                done[kind].replace("_", " ") if kind in done else PRUNED,
                line.summary if line else PRUNED,
                f"{line.dry_wet:.0%}" if line else "",
            )
            title = ""
        table.add_section()
    return table


def _by_owner(graph: Graph) -> dict[str, dict[str, str]]:
    """Ids of the processors by type, for each track and subgroup of a console."""
    owners: dict[str, dict[str, str]] = {node.id: {} for node in graph.order if node.type in (IN, MIX)}
    for node in graph.processors:
        owners.setdefault(node.id.rpartition("/")[0], {})[node.type] = node.id
    return owners
