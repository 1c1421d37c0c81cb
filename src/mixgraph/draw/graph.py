"""A mixing graph as a matplotlib figure: tracks left, output right, one coloured square for each processor."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Final

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch, Patch, Rectangle

from mixgraph.graph.graph import Graph
from mixgraph.graph.layout import Box, Layout, Route, lay_out
from mixgraph.graph.node import IN, MIX, OUT, Node
from mixgraph.graph.palette import COLORS, color_of
from mixgraph.processors.base import PROCESSORS

if TYPE_CHECKING:
    from mixgraph.result.result import Result

INK: Final = "#1f2937"
GREY: Final = "#d1d5db"
LINE: Final = "#6b7280"
INCHES: Final = 0.27
"""Side of a processor's square on paper."""
CHARACTER: Final = 0.36
"""Width of a letter of a track's name, in squares."""
LONGEST: Final = 24


def graph_figure(result: Result, *, show_pruned: bool = False) -> Figure:
    """A result's graph with a legend of its types; with `show_pruned`, what was pruned is there in grey."""
    graph, kept = result.graph, None
    if show_pruned:
        graph, kept = result.console, {node.id for node in result.graph.processors}
    layout = lay_out_to_scale(graph)
    figure = Figure(figsize=(layout.width * INCHES, layout.height * INCHES + 0.5), layout="constrained")
    draw_graph(figure.subplots(), graph, kept=kept, dry_wet=result.bank.dry_wet())
    shown = sorted(
        result.bank.ids, key=lambda kind: (list(COLORS).index(kind) if kind in COLORS else len(COLORS), kind)
    )
    keys = [Patch(color=color_of(kind), label=f"{letter_of(kind)}  {kind.replace('_', ' ')}") for kind in shown]
    if kept is not None and len(kept) < len(graph.processors):
        keys.append(Patch(color=GREY, label="pruned"))
    if keys:
        figure.legend(
            handles=keys,
            loc="outside lower center",
            ncols=max(1, int(layout.width * INCHES / 1.2)),
            frameon=False,
            fontsize=7,
        )
    return figure


def draw_graph(
    ax: Axes,
    graph: Graph,
    *,
    kept: Collection[str] | None = None,
    dry_wet: Mapping[str, float] | None = None,
) -> None:
    """Draws into axes. Processors not among `kept` are grey; the lower part of a square shows its `dry_wet` weight."""
    layout = lay_out_to_scale(graph)
    for route in layout.routes:
        _draw_route(ax, route)
    for node in graph.nodes:
        box = layout.boxes[node.id]
        if node.is_processor:
            gone = kept is not None and node.id not in kept
            _draw_processor(ax, node, box, gone, (dry_wet or {}).get(node.id, 1.0))
        else:
            _draw_end(ax, node, box, graph.successors(node.id) != ())
    ax.set(xlim=(-0.3, layout.width + 0.3), ylim=(layout.height + 0.3, -0.3))
    ax.set_aspect("equal")
    ax.axis("off")


def letter_of(kind: str) -> str:
    """The letter of a type in console chains."""
    return PROCESSORS[kind].letter if kind in PROCESSORS else "?"


def lay_out_to_scale(graph: Graph) -> Layout:
    """Places for a graph drawn with unit squares, with room for the names of tracks and subgroups.

    Names of a kind get the same room, so that the dots of subgroups stand below each other.
    """
    longest = {kind: max((len(_label(graph.node(id))) for id in graph.ids_of(kind)), default=0) for kind in (IN, MIX)}

    def size(node: Node) -> tuple[float, float]:
        if node.is_processor:
            return 1.0, 1.0
        letters = longest.get(node.type, len(_label(node)))
        return max(1.0, CHARACTER * letters + 0.4), 1.0

    return lay_out(graph, size=size)


def _label(node: Node) -> str:
    name = "mix" if node.type == OUT else node.source or node.id.removeprefix("subgroup:")
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def _draw_processor(ax: Axes, node: Node, box: Box, gone: bool, weight: float) -> None:
    color = GREY if gone else color_of(node.type)
    shape = {"boxstyle": "round,pad=0,rounding_size=0.18", "linewidth": 0}
    corner, size = (box.left, box.y - box.height / 2), box.width
    # Pale for the dry share, full for the wet one.
    ax.add_patch(FancyBboxPatch(corner, size, size, facecolor=color, alpha=1 if gone else 0.35, zorder=2, **shape))
    if not gone:
        wet = FancyBboxPatch(corner, size, size, facecolor=color, zorder=3, **shape)
        ax.add_patch(wet)
        wet.set_clip_path(_lower_part(ax, box, weight))
    ink = "#6b7280" if gone else _ink_on(color) if weight >= 0.5 else INK
    ax.text(box.x, box.y, letter_of(node.type), color=ink, ha="center", va="center", fontsize=8, zorder=4)


def _ink_on(color: str) -> str:
    """White or dark, whichever reads better (relative luminance as in WCAG 2)."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(color)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "white" if luminance < 0.179 else INK


def _lower_part(ax: Axes, box: Box, share: float) -> Patch:
    bottom = box.y + box.height / 2
    return Rectangle((box.left, bottom - share * box.height), box.width, share * box.height, transform=ax.transData)


def _draw_end(ax: Axes, node: Node, box: Box, goes_on: bool) -> None:
    if node.type == IN:
        ax.text(box.right - 0.2, box.y, _label(node), ha="right", va="center", fontsize=7, color=INK, zorder=4)
        return
    ax.plot(
        (box.left, box.right if goes_on else box.x), (box.y, box.y), color=LINE, linewidth=0.8, snap=False, zorder=1
    )
    ax.add_patch(Circle((box.x, box.y), 0.22, color=INK, zorder=3))
    ax.text(box.x, box.y - 0.35, _label(node), ha="center", va="bottom", fontsize=7, color=INK, zorder=4)


def _draw_route(ax: Axes, route: Route) -> None:
    x, y = zip(*route.points, strict=True)
    ax.plot(x, y, color=LINE, linewidth=0.8 * route.count, solid_joinstyle="round", snap=False, zorder=1)
