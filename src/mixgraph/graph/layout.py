"""Where the nodes of a graph go when it is drawn left to right, as signals flow. Abstract: boxes and polylines.

A layered drawing (Sugiyama, Tagawa and Toda, 1981). Columns restart at every sum, so that the subgroups of a console
stand one below the other however many processors their tracks have; edges that skip columns get a lane of their own
there; lanes are ordered by barycentres and brought as near to their neighbours as their heights allow.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final, final

from mixgraph.graph.graph import Graph
from mixgraph.graph.node import MIX, OUT, Node

Point = tuple[float, float]
Edge = tuple[str, str]
Lanes = list[list[str]]
"""Ids column by column, from top to bottom; those of lanes are no ids of nodes."""
SWEEPS: Final = 8


@final
@dataclass(frozen=True)
class Box:
    """A node's place: its centre and its size, in the unit of the sizes that were asked for; y grows downwards."""

    x: float
    y: float
    width: float
    height: float

    @property
    def left(self) -> float:
        """Where its edges come in."""
        return self.x - self.width / 2

    @property
    def right(self) -> float:
        """Where its edges leave."""
        return self.x + self.width / 2


@final
@dataclass(frozen=True)
class Route:
    """An edge as a polyline from the right side of a box to the left side of another; `count` equal edges share it."""

    start: str
    end: str
    points: tuple[Point, ...]
    count: int


@final
@dataclass(frozen=True)
class Layout:
    """Boxes by node id and routes, inside of (0, 0) to (width, height)."""

    boxes: Mapping[str, Box]
    routes: tuple[Route, ...]
    width: float
    height: float


def unit_size(node: Node) -> tuple[float, float]:
    """Every node is a square of side 1."""
    return 1.0, 1.0


def lay_out(
    graph: Graph,
    *,
    size: Callable[[Node], tuple[float, float]] = unit_size,
    column_gap: float = 0.6,
    row_gap: float = 0.4,
) -> Layout:
    """Places every node, no two of them overlapping, each to the right of all that feed it.

    `size` gives a node's width and height; the gaps are the least distances between columns and between rows.
    """
    columns = _columns(graph)
    chains = _chains(graph, columns)
    heights = {node.id: size(node)[1] for node in graph.nodes}
    widths = {node.id: size(node)[0] for node in graph.nodes}
    neighbours = _Neighbours(chains.values())
    lanes = _ordered(_first_order(graph, columns, chains), neighbours)
    y = _heights(lanes, neighbours, heights, row_gap)
    room = [max((widths.get(name, 0.0) for name in lane), default=0.0) for lane in lanes]
    left = [sum(room[:column]) + column * column_gap for column in range(len(room))]
    boxes = {
        node.id: Box(left[columns[node.id]] + widths[node.id] / 2, y[node.id], widths[node.id], heights[node.id])
        for node in graph.nodes
    }
    times = Counter(graph.edges)
    routes = []
    for (start, end), chain in chains.items():
        across = [
            (x, y[name])
            for column, name in enumerate(chain[1:-1], columns[start] + 1)
            for x in (left[column], left[column] + room[column])
        ]
        points = ((boxes[start].right, y[start]), *across, (boxes[end].left, y[end]))
        routes.append(Route(start, end, points, times[start, end]))
    height = max(box.y + box.height / 2 for box in boxes.values())
    return Layout(boxes, tuple(routes), left[-1] + room[-1], height)


def _columns(graph: Graph) -> dict[str, int]:
    """The column of each node. A stage begins at every sum; within a stage, columns count the nodes on the way."""
    stage: dict[str, int] = {}
    step: dict[str, int] = {}
    for node in graph.order:
        before = graph.predecessors(node.id)
        sums = node.type in (MIX, OUT)
        stage[node.id] = max((stage[name] for name in before), default=0) + sums
        inside = (step[name] + 1 for name in before if stage[name] == stage[node.id])
        step[node.id] = max(inside, default=0)
    length: dict[int, int] = defaultdict(int)
    for name, number in stage.items():
        length[number] = max(length[number], step[name] + 1)
    first = {number: sum(length[earlier] for earlier in length if earlier < number) for number in length}
    return {name: first[stage[name]] + step[name] for name in stage}


def _chains(graph: Graph, columns: Mapping[str, int]) -> dict[Edge, tuple[str, ...]]:
    """For each edge its start, a lane in every column that it skips, and its end."""
    chains: dict[Edge, tuple[str, ...]] = {}
    for number, (start, end) in enumerate(dict.fromkeys(graph.edges)):
        skipped = range(columns[start] + 1, columns[end])
        chains[start, end] = (start, *(f"\0{number}\0{column}" for column in skipped), end)
    return chains


class _Neighbours:
    """What is connected with what in the columns before and after."""

    def __init__(self, chains: Iterable[Sequence[str]]) -> None:
        self.before: dict[str, list[str]] = defaultdict(list)
        self.after: dict[str, list[str]] = defaultdict(list)
        for chain in chains:
            for left, right in pairwise(chain):
                self.after[left].append(right)
                self.before[right].append(left)


def _first_order(graph: Graph, columns: Mapping[str, int], chains: Mapping[Edge, Sequence[str]]) -> Lanes:
    """Depth first from the output: without crossings where the graph is a tree, tracks in the graph's order."""
    lanes: Lanes = [[] for _ in range(1 + max(columns.values()))]
    seen: set[str] = set()
    ahead = [("", graph.output.id)]  # edges, and a node itself as an edge from nowhere: what feeds it comes first
    while ahead:
        start, name = ahead.pop()
        if start:
            for column, lane in enumerate(chains[start, name][1:-1], columns[start] + 1):
                lanes[column].append(lane)
        elif name not in seen:
            seen.add(name)
            lanes[columns[name]].append(name)
            for before in reversed(dict.fromkeys(graph.predecessors(name))):
                ahead += [(before, name), ("", before)]
    return lanes


def _ordered(lanes: Lanes, neighbours: _Neighbours) -> Lanes:
    """The order with the fewest crossings that some sweeps of barycentres find, the first one if it has none."""
    best, fewest = lanes, _crossings(lanes, neighbours)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        forth = sweep % 2 == 0
        beside = neighbours.before if forth else neighbours.after
        place: dict[str, float] = {}
        swept: Lanes = []
        for column in lanes if forth else reversed(lanes):
            own = {name: float(index) for index, name in enumerate(column)}
            centres = {name: _mean([place[other] for other in beside[name]], own[name]) for name in column}
            column = sorted(column, key=centres.__getitem__)
            place |= {name: float(index) for index, name in enumerate(column)}
            swept.append(column)
        lanes = swept if forth else swept[::-1]
        if (crossings := _crossings(lanes, neighbours)) < fewest:
            best, fewest = lanes, crossings
    return best


def _crossings(lanes: Lanes, neighbours: _Neighbours) -> int:
    """How many pairs of pieces of edges cross between columns."""
    place = {name: index for column in lanes for index, name in enumerate(column)}
    count = 0
    for column in lanes:
        ends = [place[after] for name in column for after in sorted(neighbours.after[name], key=place.__getitem__)]
        count += sum(first > second for index, first in enumerate(ends) for second in ends[index + 1 :])
    return count


def _heights(lanes: Lanes, neighbours: _Neighbours, heights: Mapping[str, float], gap: float) -> dict[str, float]:
    """The centres: at the mean of what is connected, as far as the order and the distances within a column allow."""
    y: dict[str, float] = {}
    for column in lanes:
        y |= dict(zip(column, _spread([0.0] * len(column), _steps(column, heights, gap)), strict=True))
    for beside in (neighbours.before, neighbours.after, neighbours.before):
        for column in lanes if beside is neighbours.before else reversed(lanes):
            wanted = [_mean([y[other] for other in beside[name]], y[name]) for name in column]
            y |= dict(zip(column, _spread(wanted, _steps(column, heights, gap)), strict=True))
    top = min(y[name] - heights.get(name, 0.0) / 2 for name in y)
    return {name: value - top for name, value in y.items()}


def _steps(column: Sequence[str], heights: Mapping[str, float], gap: float) -> list[float]:
    """The least distances between the centres of those who follow one another."""
    return [gap + (heights.get(upper, 0.0) + heights.get(lower, 0.0)) / 2 for upper, lower in pairwise(column)]


def _spread(wanted: Sequence[float], steps: Sequence[float]) -> list[float]:
    """The nearest values, by least squares, that lie at least `steps` apart (pool adjacent violators)."""
    offsets = [0.0, *accumulate(steps)]
    pools: list[tuple[float, int]] = []  # mean and size
    for value, offset in zip(wanted, offsets, strict=False):
        mean, size = value - offset, 1
        while pools and pools[-1][0] > mean:
            above, count = pools.pop()
            mean, size = (above * count + mean * size) / (count + size), count + size
        pools.append((mean, size))
    pooled = (mean for mean, size in pools for _ in range(size))
    return [mean + offset for mean, offset in zip(pooled, offsets, strict=False)]


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
