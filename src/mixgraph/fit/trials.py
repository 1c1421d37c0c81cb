"""What a pruning trial costs the mix: only what its candidates change is computed, on as few segments as needed."""

from __future__ import annotations

import math
from collections.abc import Collection, Generator, Sequence
from contextlib import closing
from itertools import islice
from threading import Lock

import numpy as np
import torch
from torch import Tensor

from mixgraph.fit.cuts import SILENCE, Cuts, into_sums
from mixgraph.fit.problem import Problem
from mixgraph.fit.sequential import LOOKS, is_above
from mixgraph.fit.side_by_side import side_by_side
from mixgraph.graph.graph import Graph
from mixgraph.processors.bank import ParameterBank

SAMPLE_BYTES = 8
"""Of a stereo sample in single precision."""


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
        self._cuts = Cuts(problem, graph)
        self._losses: dict[tuple[int, int], float] = {}
        self._signals: dict[int, dict[int, Tensor]] = {start: {} for start in self.starts}
        self._room, self._lock = memory_mb * 1e6, Lock()
        self._spare = 2 * len(into_sums(graph)) * len(self.starts) * SAMPLE_BYTES * problem.config.segment_samples

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
        costs = {}
        with closing(self._losses_of(asked)) as coming:
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
                if len(changes) in looks and is_above(
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

    def _heard(self, after: frozenset[str], before: frozenset[str]) -> list[int]:
        """The segments in which it makes a difference which of these is masked."""
        return [start for start in self.starts if self._cuts.output(start, after) != self._cuts.output(start, before)]

    def _losses_of(self, asked: Sequence[tuple[int, tuple[frozenset[str], ...]]]) -> Generator[tuple[float, ...]]:
        """The losses of segments with each of some processors masked."""
        for start, maskings in asked:
            for masked in maskings:
                # Now and not side by side, since signatures are numbered as they come.
                self._cuts.output(start, masked)

        def losses(one: tuple[int, tuple[frozenset[str], ...]]) -> tuple[float, ...]:
            start, maskings = one
            return tuple(self._loss(start, masked) for masked in maskings)

        return side_by_side(losses, asked, self.problem.device)

    @torch.no_grad()
    def _loss(self, start: int, masked: frozenset[str]) -> float:
        key = start, self._cuts.output(start, masked)
        if key not in self._losses:
            estimate = self.problem.mix_loss.features(self._render(start, masked))
            target = self.problem.target(start, cached=True)
            self._losses[key] = self.problem.mix_loss.compare(estimate=estimate, target=target).total.item()
        return self._losses[key]

    def _render(self, start: int, masked: frozenset[str]) -> Tensor:
        known = self._signals[start]
        if self._cuts.output(start, masked) == SILENCE:
            return torch.zeros(2, self.problem.config.segment_samples, device=self.problem.device)
        cut = self._cuts.cut(start, masked, frozenset(known))
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
                used = self._cuts.signatures(start, masked).values()
                for number in known.keys() - set(used):
                    self._room += known.pop(number).nbytes
