"""The compiler: a graph and a schedule become stages whose inputs are gathered from earlier stages by row."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from mixgraph.dsp.convolution import fast_length
from mixgraph.graph.graph import Graph
from mixgraph.graph.node import SUM_TYPES
from mixgraph.graph.schedule import schedule
from mixgraph.processors.base import ConvolutionProcessor, MatrixProcessor, Processor


@dataclass(frozen=True)
class Part:
    """Rows of an earlier stage, those of nodes `ids`, that are added to rows `targets` of this one."""

    stage: int
    rows: tuple[int, ...]
    targets: tuple[int, ...]
    ids: tuple[str, ...]

    def by_row(self) -> Part:
        """The same pairs in the order of the rows."""
        rows, targets, ids = zip(*sorted(zip(self.rows, self.targets, self.ids, strict=True)), strict=True)
        return Part(self.stage, rows, targets, ids)


@dataclass(frozen=True)
class Stage:
    """One batch: nodes of one type, the parts that add up to their inputs, and the stages no longer needed after it.

    `stacked` says that the parts, put one after the other, are the inputs: each row has one source, nothing is added.
    `shared` says that a row of it is used more than once.
    """

    type: str
    ids: tuple[str, ...]
    parts: tuple[Part, ...]
    stacked: bool
    shared: bool
    finished: tuple[int, ...]


def is_noted(processor: Processor) -> bool:
    """Whether a processor is linear and causal: it can be part of a run, so its own output need never be computed."""
    return isinstance(processor, MatrixProcessor) or (
        isinstance(processor, ConvolutionProcessor) and not processor.extent[0]
    )


def compile_plan(graph: Graph, method: str = "fixed") -> tuple[Stage, ...]:
    """Stages in order of execution; `method` names the scheduling (GRAFX, arXiv 2408.03204, section 3)."""
    place: dict[str, tuple[int, int]] = {}
    drafts: list[tuple[str, tuple[str, ...], tuple[Part, ...], bool]] = []
    for index, batch in enumerate(schedule(graph, method)):
        ids = tuple(sorted(batch.ids, key=lambda name: [place[before] for before in graph.predecessors(name)]))
        parts = _parts(graph, ids, place)
        stacked = [target for part in parts for target in part.targets] == list(range(len(ids)))
        if not stacked:
            # A sum does not ask for an order, and rows that follow one another need not be copied.
            parts = tuple(part.by_row() for part in parts)
        drafts.append((batch.type, ids, parts, stacked))
        place |= {name: (index, row) for row, name in enumerate(ids)}
    last_use = {part.stage: index for index, (*_, parts, _) in enumerate(drafts) for part in parts}
    finished: dict[int, list[int]] = defaultdict(list)
    for stage, index in last_use.items():
        finished[index].append(stage)
    shared = {place[name][0] for name, uses in Counter(before for before, _ in graph.edges).items() if uses > 1}
    return tuple(Stage(*draft, at in shared, tuple(finished[at])) for at, draft in enumerate(drafts))


def fft_length(
    plan: tuple[Stage, ...], processors: Mapping[str, Processor], length: int, observed: Collection[str] = ()
) -> int:
    """An FFT length that holds `length` samples and the longest tail that causal runs of linear processors add.

    Sums take `observed` signals as samples, whose tails are cut off.
    """
    tails: list[int] = []
    for stage in plan:
        whole = [
            part for part in stage.parts if stage.type not in SUM_TYPES or not all(id in observed for id in part.ids)
        ]
        tail = max((tails[part.stage] for part in whole), default=0)
        processor = processors.get(stage.type)
        if isinstance(processor, ConvolutionProcessor) and not processor.extent[0]:
            tail += min(processor.extent[1], length - 1)
        elif processor is not None and not isinstance(processor, MatrixProcessor):
            tail = 0
        tails.append(tail)
    return fast_length(length + max(tails))


def _parts(graph: Graph, ids: tuple[str, ...], place: dict[str, tuple[int, int]]) -> tuple[Part, ...]:
    by_stage: dict[int, list[tuple[int, int, str]]] = defaultdict(list)
    for target, name in enumerate(ids):
        for before in graph.predecessors(name):
            stage, row = place[before]
            by_stage[stage].append((row, target, before))
    return tuple(Part(stage, *zip(*triples, strict=True)) for stage, triples in sorted(by_stage.items()))
