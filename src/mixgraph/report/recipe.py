"""What was done to each track and each subgroup, in signal order, as an engineer would write it down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from mixgraph.graph.graph import Graph
from mixgraph.graph.node import MIX, OUT
from mixgraph.graph.strands import Kind, node_kind, node_name, strands
from mixgraph.report.effects.base import Description, Found
from mixgraph.report.effects.describe import describe
from mixgraph.report.hearing import Heard
from mixgraph.result.result import Result

TITLES: Final = {"equalizer": "Equaliser", "gain_panning": "Gain and panning"}
"""Of types whose names in files are not what one would say."""


@dataclass(frozen=True)
class Step:
    """One processor. `worth` is what bypassing it adds to the loss, None where nothing could be compared."""

    id: str
    type: str
    letter: str
    wet: float
    worth: float | None
    description: Description

    @property
    def title(self) -> str:
        """The type as words."""
        return type_title(self.type)


@dataclass(frozen=True)
class Strand:
    """Processors from one head up to the next sum. `head` is a node's id, `feeds` that of the sum."""

    head: str
    name: str
    kind: Kind
    steps: tuple[Step, ...]
    feeds: str


@dataclass(frozen=True)
class Section:
    """A sum and what feeds it: the strands of its tracks, then its own."""

    name: str
    tracks: tuple[Strand, ...]
    bus: Strand | None


def write_recipe(result: Result, heard: Mapping[str, Heard], worth: Mapping[str, float]) -> tuple[Section, ...]:
    """Sections in the graph's order, the one of what enters the output directly last."""
    steps = describe_steps(result, heard, worth)
    written = _strands(result.graph, steps)
    sections = []
    for head in (*result.graph.ids_of(MIX), result.graph.output.id):
        inside = tuple(strand for strand in written if strand.feeds == head and strand.kind != "subgroup")
        bus = next((strand for strand in written if strand.head == head), None)
        if inside or bus:
            sections.append(Section(node_name(result.graph, head), inside, bus))
    return tuple(sections)


def describe_steps(result: Result, heard: Mapping[str, Heard], worth: Mapping[str, float]) -> dict[str, Step]:
    """Every processor of the graph by its id."""
    physical, weights = result.physical(), result.bank.dry_wet()
    steps = {}
    for node in result.graph.processors:
        processor = result.processors[node.type]
        parameters = result.bank.select(node.type, [node.id])
        found = Found(processor, parameters, physical[node.id], weights[node.id], heard[node.id])
        letter = processor.letter.upper()
        steps[node.id] = Step(node.id, node.type, letter, weights[node.id], worth.get(node.id), describe(found))
    return steps


def _strands(graph: Graph, steps: Mapping[str, Step]) -> list[Strand]:
    return [
        Strand(
            row.head,
            node_name(graph, row.head),
            node_kind(graph, row.head),
            tuple(steps[name] for name in row.processors),
            _next_sum(graph, row.end),
        )
        for row in strands(graph)
    ]


def _next_sum(graph: Graph, id: str) -> str:
    """The first sum behind a node, along its first successors."""
    node = graph.node(graph.successors(id)[0])
    while node.type not in (MIX, OUT):
        node = graph.node(graph.successors(node.id)[0])
    return node.id


def type_title(type: str) -> str:
    """`noise_gate` as `Noise gate`."""
    return TITLES.get(type) or type.replace("_", " ").capitalize()
