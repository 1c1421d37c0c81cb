"""The plain renderer: one node after the other. It is the oracle of every faster one, and renders whole songs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator

import torch
from torch import Tensor

from mixgraph.dsp.level import LevelPair
from mixgraph.errors import GraphError
from mixgraph.processors.bank import DRY_WET, ParameterBank
from mixgraph.render.base import NO_PROBE, LevelProbe, Rendered, Renderer, join_levels


class ReferenceRenderer(Renderer):
    """Walks the graph in topological order; a signal is let go after its last use."""

    def render(self, sources: Tensor, bank: ParameterBank, probe: LevelProbe = NO_PROBE) -> Rendered:
        seen: dict[str, list[LevelPair]] = {}
        output = sources.new_zeros(sources.shape[1:])
        for node_id, signal in self._walk(lambda name: sources[self.track_row[name]], bank, probe, seen):
            if node_id == self.graph.output.id:
                output = signal
        return Rendered(output, join_levels(seen))

    def node_outputs(
        self, read_track: Callable[[str], Tensor], bank: ParameterBank, ids: Collection[str]
    ) -> dict[str, Tensor]:
        """The signals `(2, time)` that leave the named nodes; raises `GraphError` at an unknown id.

        `read_track` is asked for each track when it is its turn, so that whole songs need not be in memory at once.
        """
        for node_id in ids:
            self.graph.node(node_id)
        return {node_id: signal for node_id, signal in self._walk(read_track, bank, NO_PROBE, {}) if node_id in ids}

    def _walk(
        self,
        read_track: Callable[[str], Tensor],
        bank: ParameterBank,
        probe: LevelProbe,
        seen: dict[str, list[LevelPair]],
    ) -> Iterator[tuple[str, Tensor]]:
        uses = Counter(before for before, _ in self.graph.edges)
        signals: dict[str, Tensor] = {}
        for node in self.graph.order:
            if node.type == "in":
                if node.source not in self.track_row:
                    raise GraphError(f"node '{node.id}' needs track '{node.source}', which was not given")
                signal = read_track(node.source)
            else:
                before = self.graph.predecessors(node.id)
                signal = torch.stack([signals[name] for name in before]).sum(0)
                for name in before:
                    uses[name] -= 1
                    if not uses[name]:
                        del signals[name]
            if node.type in self.processors:
                dry = signal[None]
                parameters = bank.select(node.type, [node.id])
                wet = self.processors[node.type].process(dry, parameters)
                if node.type in probe.types:
                    seen.setdefault(node.type, []).append(probe.measure(dry, wet))
                weight = torch.sigmoid(parameters[DRY_WET])[:, None, None]
                signal = (weight * wet + (1 - weight) * dry)[0]
            signals[node.id] = signal
            yield node.id, signal
