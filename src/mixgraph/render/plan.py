"""The compiler: a graph and a schedule become stages whose inputs are gathered from earlier stages by row."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from mixgraph.graph.graph import Graph
from mixgraph.graph.schedule import schedule


@dataclass(frozen=True)
class Part:
    """Rows of an earlier stage that are added to rows `targets` of this one."""

    stage: int
    rows: tuple[int, ...]
    targets: tuple[int, ...]


@dataclass(frozen=True)
class Stage:
    """One batch: nodes of one type, the parts that add up to their inputs, and the stages no longer needed after it.

    `stacked` says that the parts, put one after the other, are the inputs: each row has one source, nothing is added.
    """

    type: str
    ids: tuple[str, ...]
    parts: tuple[Part, ...]
    stacked: bool
    finished: tuple[int, ...]


def compile_plan(graph: Graph, method: str = "fixed") -> tuple[Stage, ...]:
    """Stages in order of execution; `method` names the scheduling (GRAFX, arXiv 2408.03204, section 3)."""
    place: dict[str, tuple[int, int]] = {}
    drafts: list[tuple[str, tuple[str, ...], tuple[Part, ...], bool]] = []
    for index, batch in enumerate(schedule(graph, method)):
        ids = tuple(sorted(batch.ids, key=lambda name: [place[before] for before in graph.predecessors(name)]))
        parts = _parts(graph, ids, place)
        stacked = [target for part in parts for target in part.targets] == list(range(len(ids)))
        drafts.append((batch.type, ids, parts, stacked))
        place |= {name: (index, row) for row, name in enumerate(ids)}
    last_use = {part.stage: index for index, (*_, parts, _) in enumerate(drafts) for part in parts}
    finished: dict[int, list[int]] = defaultdict(list)
    for stage, index in last_use.items():
        finished[index].append(stage)
    return tuple(Stage(*draft, tuple(finished[index])) for index, draft in enumerate(drafts))


def _parts(graph: Graph, ids: tuple[str, ...], place: dict[str, tuple[int, int]]) -> tuple[Part, ...]:
    by_stage: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for target, name in enumerate(ids):
        for before in graph.predecessors(name):
            stage, row = place[before]
            by_stage[stage].append((row, target))
    return tuple(
        Part(stage, tuple(row for row, _ in pairs), tuple(target for _, target in pairs))
        for stage, pairs in sorted(by_stage.items())
    )
