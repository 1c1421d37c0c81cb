"""Which part of a graph a trial has to compute: what lies behind the candidates, on signals that are known.

A trial differs from what was tried before it in a few processors. Every signal that enters a sum, or that a processor
computes as samples, has a signature of all that made it; the part of the graph whose signatures are known is cut away
and replaced by its signals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mixgraph.fit.problem import Problem
from mixgraph.graph.graph import Graph
from mixgraph.graph.node import SUM_TYPES, Node
from mixgraph.render.batched import BatchedRenderer
from mixgraph.render.plan import compile_plan, fft_length, is_noted
from mixgraph.render.responses import Responses

SILENCE = 0
"""The signature of silence, which every processor and sum of silences hands on."""


@dataclass(frozen=True)
class Cut:
    """What is left to compute: the renderer of the rest, where its sources come from, and the signatures in it.

    `summed` are those of signals that enter sums, `passed` of others that are samples already.
    """

    renderer: BatchedRenderer
    kept: tuple[int, ...]
    tracks: tuple[str, ...]
    summed: Mapping[str, int]
    passed: Mapping[str, int]

    def observed(self, room: float) -> Mapping[str, int]:
        """What to ask samples of: of all that enters a sum, kept or not: sums of spectra round otherwise."""
        return {**self.summed, **self.passed} if room > 0 else self.summed


class Cuts:
    """Signatures and cuts of one graph with processors masked, each made once; segments differ by what is silent."""

    def __init__(self, problem: Problem, graph: Graph) -> None:
        self.problem, self.graph = problem, graph
        self._fft = self._longest_fft(problem.config.segment_samples)
        self._number: dict[tuple[str, tuple[int, ...]], int] = {}
        self._silent: dict[int, frozenset[str]] = {}
        self._graphs: dict[frozenset[str], Graph] = {}
        self._signatures: dict[tuple[frozenset[str], frozenset[str]], dict[str, int]] = {}
        self._cuts: dict[tuple[frozenset[str], frozenset[int], frozenset[str]], Cut] = {}
        self._responses = Responses()

    def signatures(self, start: int, masked: frozenset[str]) -> Mapping[str, int]:
        """Of every node of the graph with some masked, in the segment at `start`; numbered as they are asked for."""
        return self._all_signatures(masked, self._silent_tracks(start))

    def output(self, start: int, masked: frozenset[str]) -> int:
        """The signature of the mix."""
        return self.signatures(start, masked)[self.graph.output.id]

    def cut(self, start: int, masked: frozenset[str], known: frozenset[int]) -> Cut:
        """What is left to compute of the graph with some masked where signals of these signatures are known."""
        graph, signatures = self._graph(masked), self.signatures(start, masked)
        needed = known & frozenset(signatures.values())
        key = masked, needed, self._silent_tracks(start)
        if key not in self._cuts:
            self._cuts[key] = self._make_cut(graph, signatures, needed)
        return self._cuts[key]

    def _longest_fft(self, length: int) -> int:
        """The FFT length that will do whatever is masked: runs are longest where nothing but runs is left."""
        noted = {name for name, processor in self.problem.processors.items() if is_noted(processor)}
        runs = self.graph.without([node.id for node in self.graph.processors if node.type not in noted])
        return fft_length(compile_plan(runs), self.problem.processors, length, into_sums(runs))

    def _silent_tracks(self, start: int) -> frozenset[str]:
        if start not in self._silent:
            tracks = self.problem.song.tracks
            segment = self.problem.song.track_segment(start, self.problem.config.segment_samples)
            self._silent[start] = frozenset(name for name, row in zip(tracks, segment, strict=True) if not row.any())
        return self._silent[start]

    def _all_signatures(self, masked: frozenset[str], silent: frozenset[str]) -> dict[str, int]:
        if (masked, silent) not in self._signatures:
            graph, found = self._graph(masked), {}
            for node in graph.order:
                before = tuple(number for name in graph.predecessors(node.id) if (number := found[name]) != SILENCE)
                quiet = node.source in silent if node.type == "in" else not before
                key = node.id, before
                found[node.id] = SILENCE if quiet else self._number.setdefault(key, len(self._number) + 1)
            self._signatures[masked, silent] = found
        return self._signatures[masked, silent]

    def _graph(self, masked: frozenset[str]) -> Graph:
        if masked not in self._graphs:
            self._graphs[masked] = self.graph.without(masked)
        return self._graphs[masked]

    def _make_cut(self, graph: Graph, signatures: Mapping[str, int], known: frozenset[int]) -> Cut:
        nodes, edges = {}, []
        needed, run_on = {graph.output.id}, set[str]()
        for node in reversed(graph.order):
            if node.id not in needed:
                continue
            noted = node.type in self.problem.processors and is_noted(self.problem.processors[node.type])
            # A run is computed whole, whoever left the signals within it: rounding must not depend on what was tried.
            given = node.type == "in" or (signatures[node.id] in known and not (noted and node.id in run_on))
            # Under ids, which a track's name could not be mistaken for.
            nodes[node.id] = Node(node.id, "in", node.id) if given else node
            if not given:
                before = [name for name in graph.predecessors(node.id) if signatures[name] != SILENCE]
                edges += [(name, node.id) for name in before]
                needed.update(before)
                run_on.update(before if noted else ())
        inputs = [node.id for node in nodes.values() if node.type == "in"]
        kept = tuple(name for name in inputs if signatures[name] in known)
        read = tuple(name for name in inputs if signatures[name] not in known)
        rest = Graph(tuple(nodes.values()), tuple(edges))
        summed = {before: signatures[before] for before in into_sums(rest) if before not in kept}
        passed = {
            node.id: signatures[node.id]
            for node in rest.processors
            if node.id not in summed and not is_noted(self.problem.processors[node.type])
        }
        renderer = self.problem.renderer(rest, tracks=(*kept, *read), responses=self._responses, shortest_fft=self._fft)
        tracks = tuple(graph.node(name).source or "" for name in read)
        return Cut(renderer, tuple(signatures[name] for name in kept), tracks, summed, passed)


def into_sums(graph: Graph) -> frozenset[str]:
    """Nodes whose signals enter sums."""
    return frozenset(before for before, after in graph.edges if graph.node(after).type in SUM_TYPES)
