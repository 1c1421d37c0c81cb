"""The graph as shapes with places, in the units of the drawing; the template `graph.svg.j2` writes them down."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from mixgraph.graph.graph import Graph
from mixgraph.graph.layout import Point, lay_out
from mixgraph.graph.node import IN, MIX, OUT, Node
from mixgraph.graph.palette import COLORS
from mixgraph.graph.strands import node_name
from mixgraph.processors.base import PROCESSORS
from mixgraph.report.recipe import type_title
from mixgraph.result.result import Result

PADDING: Final = 16.0
SIDE: Final = 28.0
NAME_CHARACTERS: Final = 20


@dataclass(frozen=True)
class Shape:
    """A node as drawn; `style` is its CSS class, `text` what stands in it, `full` its whole name, `wet` 0 to 1."""

    id: str
    style: str
    x: float
    y: float
    width: float
    height: float
    text: str
    full: str
    wet: float
    kept: bool
    is_processor: bool


@dataclass(frozen=True)
class Wire:
    """An edge as an SVG path."""

    start: str
    end: str
    path: str
    count: int


@dataclass(frozen=True)
class Drawing:
    """A graph to draw. Shapes come in the graph's order."""

    shapes: tuple[Shape, ...]
    wires: tuple[Wire, ...]
    width: float
    height: float


def draw_result(result: Result) -> Drawing:
    """The found graph."""
    return _draw(result.graph, result.graph, result.bank.dry_wet())


def draw_console(result: Result) -> Drawing | None:
    """The console that the search began with, what was pruned marked so; None where none is known or nothing was."""
    if result.console == result.graph:
        return None
    return _draw(result.console, result.graph, result.bank.dry_wet())


def _draw(graph: Graph, kept: Graph, weights: Mapping[str, float]) -> Drawing:
    ids = {node.id for node in kept.nodes}
    names = {node.id: node_name(graph, node.id) for node in graph.nodes}
    widths = {type: _width([names[id] for id in graph.ids_of(type)]) for type in (IN, MIX, OUT)}
    layout = lay_out(graph, size=lambda node: (widths.get(node.type, SIDE), SIDE), column_gap=18, row_gap=9)
    shapes = []
    for node in graph.order:
        box = layout.boxes[node.id]
        shapes.append(
            Shape(
                id=node.id,
                style=style_of(node.type) if node.is_processor else node.type,
                x=round(box.x - box.width / 2 + PADDING, 1),
                y=round(box.y - box.height / 2 + PADDING, 1),
                width=box.width,
                height=box.height,
                text=PROCESSORS[node.type].letter.upper() if node.is_processor else shorten(names[node.id]),
                full=f"{type_title(node.type)} of {_owner(node)}" if node.is_processor else names[node.id],
                wet=weights.get(node.id, 1.0),
                kept=node.id in ids,
                is_processor=node.is_processor,
            )
        )
    wires = [Wire(route.start, route.end, _path(route.points), route.count) for route in layout.routes]
    return Drawing(tuple(shapes), tuple(wires), layout.width + 2 * PADDING, layout.height + 2 * PADDING)


def style_of(type: str) -> str:
    """The CSS class of a processor type."""
    return type if type in COLORS else "other"


def shorten(name: str) -> str:
    """A name that fits its box."""
    return name if len(name) <= NAME_CHARACTERS else f"{name[: NAME_CHARACTERS - 1]}…"


def _owner(node: Node) -> str:
    """The track or subgroup in the id of a console's processor, else the id."""
    return node.id.rpartition("/")[0].partition(":")[2] or node.id


def _width(names: Collection[str]) -> float:
    """Room for the longest of some names: one width for all tracks looks calmer than each its own."""
    return round(max((sum(map(_character_width, shorten(name))) for name in names), default=0.0) + 20, 1)


def _character_width(character: str) -> float:
    """About as wide as in the page's names."""
    if unicodedata.east_asian_width(character) in "WF":
        return 13.5
    return 8.9 if character.isupper() or character in "_mwMW" else 7.3


def _path(points: tuple[Point, ...]) -> str:
    """Straight where the points are level, else an S from one to the next."""
    (x, y), *rest = [(x + PADDING, y + PADDING) for x, y in points]
    path = [f"M{x:.1f} {y:.1f}"]
    for to_x, to_y in rest:
        if abs(to_y - y) < 0.05:
            path.append(f"H{to_x:.1f}")
        else:
            middle = (x + to_x) / 2
            path.append(f"C{middle:.1f} {y:.1f} {middle:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}")
        x, y = to_x, to_y
    return "".join(path)
