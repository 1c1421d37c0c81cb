"""The batched renderer: all ready nodes of one type are computed at once (GRAFX, arXiv 2408.03204)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from mixgraph.dsp.level import LevelPair
from mixgraph.errors import GraphError
from mixgraph.graph.graph import Graph
from mixgraph.processors.bank import DRY_WET, ParameterBank
from mixgraph.processors.base import Processor
from mixgraph.render.base import NO_PROBE, LevelProbe, Rendered, Renderer, join_levels
from mixgraph.render.plan import Part, Stage, compile_plan


class BatchedRenderer(Renderer):
    """Runs a compiled plan. Same audio and gradients as the reference, in as many steps as the schedule has batches."""

    def __init__(
        self,
        graph: Graph,
        processors: Mapping[str, Processor],
        tracks: tuple[str, ...],
        schedule: str = "fixed",
    ) -> None:
        super().__init__(graph, processors, tracks)
        self.plan = compile_plan(graph, schedule)

    def render(self, sources: Tensor, bank: ParameterBank, probe: LevelProbe = NO_PROBE) -> Rendered:
        outputs: dict[int, Tensor] = {}
        levels: dict[str, list[LevelPair]] = {}
        output = sources.new_zeros(sources.shape[1:])
        for index, stage in enumerate(self.plan):
            signal = self._sources(stage, sources) if stage.type == "in" else _gather(stage, outputs)
            for done in stage.finished:
                del outputs[done]
            if stage.type in self.processors:
                parameters = bank.select(stage.type, stage.ids)
                wet = self.processors[stage.type].process(signal, parameters)
                if stage.type in probe.types:
                    levels.setdefault(stage.type, []).append(probe.measure(signal, wet))
                weight = torch.sigmoid(parameters[DRY_WET])[:, None, None]
                signal = torch.lerp(signal, wet, weight)
            elif stage.type == "out":
                output = signal[0]
            outputs[index] = signal
        return Rendered(output, join_levels(levels))

    def _sources(self, stage: Stage, sources: Tensor) -> Tensor:
        names = [self.graph.node(node_id).source for node_id in stage.ids]
        for node_id, name in zip(stage.ids, names, strict=True):
            if name not in self.track_row:
                raise GraphError(f"node '{node_id}' needs track '{name}', which was not given")
        return _rows(sources, tuple(self.track_row[name] for name in names if name is not None))


def _gather(stage: Stage, outputs: Mapping[int, Tensor]) -> Tensor:
    if stage.stacked:
        pieces = [_rows(outputs[part.stage], part.rows) for part in stage.parts]
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces)
    first = outputs[stage.parts[0].stage]
    total = first.new_zeros((len(stage.ids), *first.shape[1:]))
    for part in stage.parts:
        total = _add(total, part, outputs[part.stage])
    return total


def _add(total: Tensor, part: Part, output: Tensor) -> Tensor:
    targets = torch.tensor(part.targets, device=output.device)
    return total.index_add(0, targets, _rows(output, part.rows))


def _rows(signal: Tensor, rows: tuple[int, ...]) -> Tensor:
    if rows == tuple(range(rows[0], rows[0] + len(rows))):
        return signal.narrow(0, rows[0], len(rows))
    return signal.index_select(0, torch.tensor(rows, device=signal.device))
