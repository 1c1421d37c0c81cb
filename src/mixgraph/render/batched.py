"""The batched renderer: all ready nodes of one type are computed at once (GRAFX, arXiv 2408.03204).

Three passes on top of that, each of which can be left out: `fuse_linear` keeps signals as spectra through runs of
linear processors and sums, `compiled` computes dynamics processors in one pass over the signal, and `skip_silence`
leaves out what only silent tracks feed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence

import torch
from torch import Tensor

from mixgraph.dsp.convolution import fast_length
from mixgraph.dsp.dynamics import apply_knee
from mixgraph.dsp.level import LevelPair
from mixgraph.dsp.spectral_run import Filter
from mixgraph.errors import GraphError
from mixgraph.graph.graph import Graph
from mixgraph.processors.bank import DRY_WET, ParameterBank
from mixgraph.processors.base import ConvolutionProcessor, MatrixProcessor, Processor
from mixgraph.processors.knee import KneeProcessor
from mixgraph.render.base import NO_PROBE, LevelProbe, Rendered, Renderer, join_levels
from mixgraph.render.forms import Forms, Link, gather, take_rows
from mixgraph.render.plan import Stage, compile_plan, fft_length
from mixgraph.render.responses import Responses, response_spectrum


class BatchedRenderer(Renderer):
    """Runs a compiled plan. Same audio and gradients as the reference, in as many steps as the schedule has batches.

    Fused processors observe levels with their tails (`mixgraph.dsp.spectral`), others as the reference does. Spectra of
    impulse responses are kept in `responses`, where they are given. Renderers of parts of one graph give the same bits,
    and share responses, if their FFTs are no shorter than the graph's: `shortest_fft`.
    """

    def __init__(
        self,
        graph: Graph,
        processors: Mapping[str, Processor],
        tracks: tuple[str, ...],
        schedule: str = "fixed",
        *,
        fuse_linear: bool = True,
        compiled: bool = True,
        skip_silence: bool = True,
        responses: Responses | None = None,
        shortest_fft: int = 0,
    ) -> None:
        super().__init__(graph, processors, tracks)
        self.schedule = schedule
        self.skip_silence = skip_silence
        self._plans: dict[frozenset[str], tuple[Stage, ...]] = {}
        self.fuse_linear = fuse_linear
        self.compiled = compiled
        self.responses = responses
        self.shortest_fft = shortest_fft

    def render(
        self, sources: Tensor, bank: ParameterBank, probe: LevelProbe = NO_PROBE, observe: Collection[str] = ()
    ) -> Rendered:
        length, plan = sources.shape[-1], self._plan_for(sources, observe)
        n = max(self.shortest_fft, fft_length(plan, self.processors, length, observe)) if self.fuse_linear else 0
        outputs: dict[int, Forms] = {}
        levels: dict[str, list[LevelPair]] = defaultdict(list)
        signals: dict[str, Tensor] = {}
        heard: dict[int, dict[int, Tensor]] = {}
        for index, stage in enumerate(plan):
            if stage.type == "in":
                forms = Forms(n, length, self._sources(stage, sources))
            else:
                forms = gather(stage, outputs, heard)
            for done in stage.finished:
                del outputs[done]
            if stage.type in self.processors:
                forms = self._process(index, stage, forms, bank, probe, levels[stage.type].append)
            observed = tuple(row for row, name in enumerate(stage.ids) if name in observe)
            if observed:
                # Only these: how the others are computed must not depend on who listens.
                heard[index] = dict(zip(observed, forms.rows(observed).signal.unbind(), strict=True))
                signals |= {stage.ids[row]: signal for row, signal in heard[index].items()}
            outputs[index] = forms.ready() if stage.shared else forms
        seen = {kind: pairs for kind, pairs in levels.items() if pairs}
        return Rendered(outputs[len(plan) - 1].signal[0], join_levels(seen), signals)

    def _plan_for(self, sources: Tensor, observe: Collection[str]) -> tuple[Stage, ...]:
        """The plan for the tracks that are not silent. Silence has no use for processors, and no gradient in them."""
        silent: frozenset[str] = frozenset()
        if self.skip_silence and not observe and not sources.requires_grad:
            heard = sources.flatten(1).any(1).tolist()
            silent = frozenset(name for name, row in self.track_row.items() if not heard[row])
            if all(node.source in silent for node in self.graph.inputs):
                silent = frozenset()
        if silent not in self._plans:
            heard_graph = self.graph.without_sources(silent) if silent else self.graph
            # Without a processor there would be no gradient at all, and a training step wants zeros.
            graph = heard_graph if heard_graph.processors else self.graph
            self._plans[silent] = compile_plan(graph, self.schedule)
        return self._plans[silent]

    def _process(
        self,
        index: int,
        stage: Stage,
        forms: Forms,
        bank: ParameterBank,
        probe: LevelProbe,
        seen: Callable[[LevelPair], None],
    ) -> Forms:
        processor, level = self.processors[stage.type], probe.signal if stage.type in probe.types else None
        if self.fuse_linear and isinstance(processor, ConvolutionProcessor):
            # What reaches back in time must not see the tails that spectra keep beyond the end: a run of its own.
            alone = processor.extent[0] > 0
            n = fast_length(forms.length + sum(processor.extent)) if alone else forms.n

            def make(ids: tuple[str, ...], rows: tuple[int, ...]) -> Filter:
                weight = torch.sigmoid(bank.select(processor.name, ids)[DRY_WET])
                return Filter(self._response(processor, ids, bank, forms.length, n), weight, rows, level)

            link = Link(index, stage.ids, make, seen)
            if alone:
                return forms.with_base(Forms(n, forms.length, forms.signal, links=(link,)).signal)
            return forms.linked(link)
        parameters = bank.select(stage.type, stage.ids)
        weight = torch.sigmoid(parameters[DRY_WET])
        if level is None and isinstance(processor, MatrixProcessor):
            one = torch.eye(2, dtype=weight.dtype, device=weight.device)
            return forms.mixed(torch.lerp(one, processor.matrix(parameters), weight[:, None, None]))
        signal = forms.signal
        if self.compiled and level is None and isinstance(processor, KneeProcessor):
            return forms.with_base(apply_knee(signal, processor.knee(parameters), weight))
        wet = processor.process(signal, parameters)
        if level:
            seen(probe.measure(signal, wet))
        return forms.with_base(torch.lerp(signal, wet, weight[:, None, None]))

    def _response(
        self, processor: ConvolutionProcessor, ids: Sequence[str], bank: ParameterBank, length: int, n: int
    ) -> Tensor:
        """Spectra `(node, 1 or 2, bin)` of impulse responses, as much of them as `length` samples can show."""
        if self.responses is None:
            return response_spectrum(processor.impulse_response(bank.select(processor.name, ids)), length, n)

        def every() -> Tensor:
            # Of all of a type together, whoever asks first: how one is rounded may depend on those beside it.
            return response_spectrum(processor.impulse_response(bank.tensors[processor.name]), length, n)

        return take_rows(self.responses.of(processor.name, length, n, every), bank.rows(processor.name, ids))

    def _sources(self, stage: Stage, sources: Tensor) -> Tensor:
        names = [self.graph.node(node_id).source for node_id in stage.ids]
        for node_id, name in zip(stage.ids, names, strict=True):
            if name not in self.track_row:
                raise GraphError(f"node '{node_id}' needs track '{name}', which was not given")
        return take_rows(sources, tuple(self.track_row[name] for name in names if name is not None))
