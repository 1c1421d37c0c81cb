"""Found processors beside true ones: which were found, how far their settings are off, how many edits lie between."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from mixgraph.corpus.scoring.errors import Heard, setting_errors
from mixgraph.errors import ResultError
from mixgraph.graph.graph import Graph
from mixgraph.result.result import Result


@final
@dataclass(frozen=True)
class Counts:
    """How many were `true`, how many `found`, how many of these were `both`; shares are None where none could be."""

    true: int = 0
    found: int = 0
    both: int = 0

    @classmethod
    def of(cls, found: Iterable[object], true: Iterable[object]) -> Counts:
        """Counts of two sets."""
        ours, theirs = set(found), set(true)
        return cls(len(theirs), len(ours), len(ours & theirs))

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.true + other.true, self.found + other.found, self.both + other.both)

    @property
    def precision(self) -> float | None:
        """The share of the found ones that are true."""
        return self.both / self.found if self.found else None

    @property
    def recall(self) -> float | None:
        """The share of the true ones that were found."""
        return self.both / self.true if self.true else None

    @property
    def f1(self) -> float | None:
        """The harmonic mean of precision and recall."""
        return 2 * self.both / (self.true + self.found) if self.true + self.found else None

    def to_json(self) -> dict[str, Any]:
        """Counts and shares."""
        shares = {"precision": self.precision, "recall": self.recall, "f1": self.f1}
        return {"true": self.true, "found": self.found, "both": self.both} | shares


@final
@dataclass(frozen=True)
class Score:
    """How near one found graph, or several, come to the true ones; everything is by processor type.

    `nodes` counts processors at their own place. `on_path` counts pairs of a track and a type that stands anywhere
    between that track and the output, so that a processor of the subgroup stands for one on each of its tracks.
    `places` is how many the full console has, `errors` the distances of settings (`setting_errors`) of processors that
    are in both. `edit_distance` is how many processors must be added or removed to make the found graph the true one.
    """

    nodes: Mapping[str, Counts]
    on_path: Mapping[str, Counts]
    places: Mapping[str, int]
    errors: Mapping[str, Mapping[str, Sequence[float]]]
    edit_distance: int

    @property
    def total(self) -> Counts:
        """Processors of all types."""
        return sum(self.nodes.values(), Counts())

    @property
    def total_on_path(self) -> Counts:
        """Pairs of track and type, of all types."""
        return sum(self.on_path.values(), Counts())

    def medians(self) -> dict[str, dict[str, float]]:
        """The median of each distance."""
        return {
            kind: {name: statistics.median(values) for name, values in errors.items()}
            for kind, errors in self.errors.items()
        }

    def to_json(self) -> dict[str, Any]:
        """All of it, totals and medians as well."""
        counted = {"nodes": (self.nodes, self.total), "on_path": (self.on_path, self.total_on_path)}
        counts = {
            name: {"total": total.to_json()} | {kind: count.to_json() for kind, count in by_type.items()}
            for name, (by_type, total) in counted.items()
        }
        matched = {kind: self.nodes[kind].both for kind in self.errors}
        rest = {"places": dict(self.places), "matched": matched, "median_errors": self.medians()}
        return counts | rest | {"edit_distance": self.edit_distance}


def score(found: Result, true: Result) -> Score:
    """Compares a found graph with the true one of the same console.

    Raises `ResultError` where the graphs differ in more than processors: then node ids do not tell what is the same,
    and the edit distance of graphs would be another one.
    """
    both = {node.id for node in found.graph.processors} & {node.id for node in true.graph.processors}
    _require_same_console(found.graph, true.graph, both)
    places: dict[str, int] = found.metrics["processors"]["initial"].get("by_type", {})
    kinds = sorted({*places, *found.bank.ids, *true.bank.ids})
    errors: dict[str, dict[str, list[float]]] = {}
    for node in true.graph.processors:
        if node.id in both:
            of_type = errors.setdefault(node.type, {})
            for name, value in setting_errors(Heard.of(found, node.id), Heard.of(true, node.id)).items():
                of_type.setdefault(name, []).append(value)
    ways = _types_on_paths(found.graph), _types_on_paths(true.graph)
    return Score(
        {kind: Counts.of(found.graph.ids_of(kind), true.graph.ids_of(kind)) for kind in kinds},
        {kind: Counts.of(*([track for track, of in way.items() if kind in of] for way in ways)) for kind in kinds},
        {kind: places.get(kind, 0) for kind in kinds},
        errors,
        len(found.graph.processors) + len(true.graph.processors) - 2 * len(both),
    )


def pool(scores: Sequence[Score]) -> Score:
    """The scores of several songs as one: counts and distances of all of them together."""
    kinds = sorted({kind for one in scores for kind in one.nodes})
    errors: dict[str, dict[str, list[float]]] = {}
    for one in scores:
        for kind, measured in one.errors.items():
            for name, values in measured.items():
                errors.setdefault(kind, {}).setdefault(name, []).extend(values)
    nothing = Counts()
    return Score(
        {kind: sum((one.nodes.get(kind, nothing) for one in scores), nothing) for kind in kinds},
        {kind: sum((one.on_path.get(kind, nothing) for one in scores), nothing) for kind in kinds},
        {kind: sum(one.places.get(kind, 0) for one in scores) for kind in kinds},
        {kind: errors[kind] for kind in kinds if kind in errors},
        sum(one.edit_distance for one in scores),
    )


def _types_on_paths(graph: Graph) -> dict[str, set[str]]:
    """Per track the processor types between it and the output."""
    behind: dict[str, set[str]] = {}
    for node in reversed(graph.order):
        after = {kind for name in graph.successors(node.id) for kind in behind[name]}
        behind[node.id] = after | {node.type} if node.is_processor else after
    return {node.source or "": behind[node.id] for node in graph.inputs}


def _require_same_console(found: Graph, true: Graph, both: set[str]) -> None:
    bare = [graph.without({node.id for node in graph.processors} - both) for graph in (found, true)]
    ids = [{node.id for node in graph.nodes} for graph in bare]
    if strange := sorted(ids[0] ^ ids[1]):
        raise ResultError(f"'{strange[0]}' is in one graph only; compare results of one song, with the same subgroups")
    if Counter(bare[0].edges) != Counter(bare[1].edges):
        raise ResultError("the processors stand in another order than the true ones; search with the same chain")
