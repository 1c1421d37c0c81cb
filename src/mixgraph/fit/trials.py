"""What a pruning trial costs the mix: only what lies behind the candidates is computed, on as few segments as needed.

A trial differs from what was tried before it in a few processors. Every signal that enters a sum, or that a processor
computes as samples, is kept under a signature of all that made it; the part of the graph whose signatures are known is
cut away and replaced by its signals.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from threading import Lock

import numpy as np
import torch
from torch import Tensor

from mixgraph.fit.problem import Problem
from mixgraph.fit.side_by_side import side_by_side
from mixgraph.graph.graph import Graph
from mixgraph.graph.node import SUM_TYPES, Node
from mixgraph.processors.bank import ParameterBank
from mixgraph.render.batched import BatchedRenderer, Responses
from mixgraph.render.plan import compile_plan, fft_length, is_noted

SILENCE = 0
"""The signature of silence, which every processor and sum of silences hands on."""
SAMPLE_BYTES = 8
"""Of a stereo sample in single precision."""
LOOKS = (6, 9, 14, 21, 32, 48, 72, 108, 162, 243)
"""After how many segments a sequential test looks at its mean."""


@dataclass(frozen=True)
class _Cut:
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


class Trials:
    """Losses of one graph and bank with processors masked: the mean over segments of the configured audio loss.

    A trial below its limit has been heard on every segment. One above it may end early: when its partial sum exceeds
    the limit, which is exact, because losses are not negative; and, with an `error` above 0, when a t test on the
    segments so far, in random order, is sure to that error. Segments in which the candidates' tracks are silent cost
    nothing. Kept signals take up to `memory_mb`.
    """

    def __init__(
        self,
        problem: Problem,
        graph: Graph,
        bank: ParameterBank,
        starts: Collection[int],
        *,
        error: float = 0.0,
        memory_mb: float = 2_048,
    ) -> None:
        self.problem, self.graph, self.bank = problem, graph, bank
        self.error = error
        self.starts = tuple(starts)
        if error:
            self.starts = tuple(np.random.default_rng(problem.config.seed).permutation(self.starts).tolist())
        self.renders = 0
        self._room, self._lock = memory_mb * 1e6, Lock()
        length = problem.config.segment_samples
        self._fft = self._longest_fft(length)
        self._spare = 2 * len(_summed(graph)) * len(self.starts) * SAMPLE_BYTES * length
        self._number: dict[tuple[str, tuple[int, ...]], int] = {}
        self._losses: dict[tuple[int, int], float] = {}
        self._signals: dict[int, dict[int, Tensor]] = {start: {} for start in self.starts}
        self._silent: dict[int, frozenset[str]] = {}
        self._graphs: dict[frozenset[str], Graph] = {}
        self._signatures: dict[tuple[frozenset[str], frozenset[str]], dict[str, int]] = {}
        self._cuts: dict[tuple[frozenset[str], frozenset[int], frozenset[str]], _Cut] = {}
        self._responses: Responses = {}

    def first(self) -> float:
        """The loss with nothing masked."""
        return self._exact(frozenset(), math.inf)

    def probe(self, count: int) -> dict[str, float]:
        """What masking each processor alone adds to the loss, from up to `count` segments in which it is heard."""
        nothing = frozenset[str]()
        alone = {node.id: frozenset([node.id]) for node in self.graph.processors}
        heard = {name: self._heard(masked, nothing) for name, masked in alone.items()}
        some = {name: starts[:: -(-len(starts) // count)] if starts else [] for name, starts in heard.items()}
        # All in one row: three segments at a time would leave threads idle.
        asked = [(start, (alone[name], nothing)) for name, starts in some.items() for start in starts]
        coming, costs = self._losses_of(asked), {}
        for name, starts in some.items():
            changes = [after - before for after, before in islice(coming, len(starts))]
            costs[name] = math.fsum(changes) / max(1, len(starts)) * len(heard[name]) / len(self.starts)
        return costs

    def loss_with(self, candidates: frozenset[str], *, masked: frozenset[str], loss: float, limit: float) -> float:
        """The loss with `candidates` masked on top of `masked`, whose loss is known; an estimate above `limit`."""
        after = masked | candidates
        if self._room <= 0:
            self._make_room(masked)
        if not self.error:
            return self._exact(after, limit)
        heard = self._heard(after, masked)
        if not heard:
            return loss
        share, changes = len(heard) / len(self.starts), []
        looks = [look for look in LOOKS if look < len(heard)]
        with closing(self._losses_of([(start, (after, masked)) for start in heard])) as coming:
            for now, before in coming:
                changes.append(now - before)
                if len(changes) in looks and _is_above(
                    changes, len(heard), (limit - loss) / share, self.error / len(looks)
                ):
                    break
        return loss + share * math.fsum(changes) / len(changes)

    def _exact(self, masked: frozenset[str], limit: float) -> float:
        total = 0.0
        with closing(self._losses_of([(start, (masked,)) for start in self.starts])) as coming:
            for (loss,) in coming:
                total += loss
                if total / len(self.starts) >= limit:
                    break
        return total / len(self.starts)

    def _longest_fft(self, length: int) -> int:
        """The FFT length that will do whatever is masked: runs are longest where nothing but runs is left."""
        noted = {name for name, processor in self.problem.processors.items() if is_noted(processor)}
        runs = self.graph.without([node.id for node in self.graph.processors if node.type not in noted])
        return fft_length(compile_plan(runs), self.problem.processors, length, _summed(runs))

    def _heard(self, after: frozenset[str], before: frozenset[str]) -> list[int]:
        """The segments in which it makes a difference which of these is masked."""
        return [start for start in self.starts if self._signature(start, after) != self._signature(start, before)]

    def _losses_of(self, asked: Sequence[tuple[int, tuple[frozenset[str], ...]]]) -> Generator[tuple[float, ...]]:
        """The losses of segments with each of some processors masked."""
        for start, maskings in asked:
            for masked in maskings:
                # Now and not side by side, since signatures are numbered as they come.
                self._signature(start, masked)

        def losses(one: tuple[int, tuple[frozenset[str], ...]]) -> tuple[float, ...]:
            start, maskings = one
            return tuple(self._loss(start, masked) for masked in maskings)

        return side_by_side(losses, asked, self.problem.device)

    def _signature(self, start: int, masked: frozenset[str]) -> int:
        return self._all_signatures(masked, self._silent_tracks(start))[self.graph.output.id]

    @torch.no_grad()
    def _loss(self, start: int, masked: frozenset[str]) -> float:
        key = start, self._signature(start, masked)
        if key not in self._losses:
            estimate = self.problem.mix_loss.features(self._render(start, masked))
            target = self.problem.target(start, cached=True)
            self._losses[key] = self.problem.mix_loss.compare(estimate=estimate, target=target).total.item()
        return self._losses[key]

    def _render(self, start: int, masked: frozenset[str]) -> Tensor:
        known, silent = self._signals[start], self._silent_tracks(start)
        if self._signature(start, masked) == SILENCE:
            return torch.zeros(2, self.problem.config.segment_samples, device=self.problem.device)
        cut = self._cut(masked, frozenset(known), silent)
        pieces = [known[number] for number in cut.kept]
        if cut.tracks:
            pieces += self.problem.sources(start, cut.tracks).unbind()
        # What enters no sum is of use to fewer trials.
        observed = cut.observed(self._room - self._spare)
        rendered = cut.renderer.render(torch.stack(pieces), self.bank, observe=observed)
        with self._lock:
            self.renders += 1
            for node_id, signal in rendered.signals.items():
                if self._room > 0 and observed[node_id] not in known:
                    known[observed[node_id]] = signal.clone()
                    self._room -= signal.nbytes
        return rendered.output

    def _make_room(self, masked: frozenset[str]) -> None:
        """Drops what earlier trials left and the graph without `masked` has no use for."""
        for start, known in self._signals.items():
            if known:
                used = self._all_signatures(masked, self._silent_tracks(start)).values()
                for number in known.keys() - set(used):
                    self._room += known.pop(number).nbytes

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

    def _cut(self, masked: frozenset[str], known: frozenset[int], silent: frozenset[str]) -> _Cut:
        graph, signatures = self._graph(masked), self._all_signatures(masked, silent)
        needed = known & frozenset(signatures.values())
        key = masked, needed, silent
        if key not in self._cuts:
            self._cuts[key] = self._make_cut(graph, signatures, needed)
        return self._cuts[key]

    def _make_cut(self, graph: Graph, signatures: Mapping[str, int], known: frozenset[int]) -> _Cut:
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
        summed = {before: signatures[before] for before in _summed(rest) if before not in kept}
        passed = {
            node.id: signatures[node.id]
            for node in rest.processors
            if node.id not in summed and not is_noted(self.problem.processors[node.type])
        }
        renderer = self.problem.renderer(rest, tracks=(*kept, *read), responses=self._responses, shortest_fft=self._fft)
        tracks = tuple(graph.node(name).source or "" for name in read)
        return _Cut(renderer, tuple(signatures[name] for name in kept), tracks, summed, passed)


def _summed(graph: Graph) -> frozenset[str]:
    """Nodes whose signals enter sums."""
    return frozenset(before for before, after in graph.edges if graph.node(after).type in SUM_TYPES)


def _is_above(changes: list[float], population: int, bound: float, error: float) -> bool:
    """Whether the mean of a finite population lies above `bound`, judged by a sample."""
    from scipy.special import stdtrit

    count = len(changes)
    spread = float(np.std(changes, ddof=1)) * math.sqrt((1 - count / population) / count)
    return math.fsum(changes) / count - bound > -float(stdtrit(count - 1, error)) * spread
