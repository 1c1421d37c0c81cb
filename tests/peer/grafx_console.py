"""GRAFX 0.6.0 made to render one of our graphs with our parameters: the oracle of `test_grafx` and of the benchmark.

Its convolution forgets the length in `irfft`, so that odd lengths come out one sample short; that is mended here.
Importing this module needs the `peer` extra.
"""

from __future__ import annotations

import importlib
import sys
import types
import warnings
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from typing import Any

import torch
from torch import Tensor

from mixgraph.export.grafx import ENVELOPE_TAPS, NAMES
from mixgraph.graph.graph import Graph
from mixgraph.processors.bank import DRY_WET, ParameterBank

# GRAFX imports torchaudio for filters that a console does not use.
if "torchaudio" not in sys.modules:
    _stub, _functional = types.ModuleType("torchaudio"), types.ModuleType("torchaudio.functional")
    # With a specification, since others (transformers, by torch_geometric) ask for one.
    _stub.__dict__.update(__version__="2.4.0", functional=_functional, __spec__=ModuleSpec("torchaudio", None))
    _functional.__dict__.update(lfilter=None)
    sys.modules |= {"torchaudio": _stub, "torchaudio.functional": _functional}
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    grafx_data, grafx_processors, grafx_render = (
        importlib.import_module(f"grafx.{part}") for part in ("data", "processors", "render")
    )


def mend(length: Callable[[int], int] = lambda count: count) -> None:
    """Replaces the faulty function wherever GRAFX has it; `length` rounds FFT lengths up (GRAFX: not at all)."""

    def convolve(x: Tensor, h: Tensor, mode: str = "zerophase", pad_mode: str = "min") -> Tensor:
        count = length(x.shape[-1] + h.shape[-1] - 1)
        full = torch.fft.irfft(torch.fft.rfft(x, count) * torch.fft.rfft(h, count), count)
        first = h.shape[-1] // 2 if mode == "zerophase" else 0
        return full[..., first : first + x.shape[-1]]

    for name in ("core.convolution", "delay", "eq"):
        importlib.import_module(f"grafx.processors.{name}").__dict__["convolve"] = convolve


class GrafxConsole:
    """A graph, compiled by GRAFX in fixed order, and its parameters as leaves named as ours.

    `staged` are the types under gain staging (GRAFX knows the published form only: both channels).
    """

    def __init__(
        self, graph: Graph, tracks: Sequence[str], bank: ParameterBank, chain: Sequence[str], staged: frozenset[str]
    ) -> None:
        mend()
        config = grafx_data.NodeConfigs(list(chain))
        drawn = grafx_data.GRAFX(config=config)
        numbers = {node.id: drawn.add(node.type, name=node.id) for node in (*graph.inputs, *_others(graph))}
        for start, end in graph.edges:
            drawn.connect(numbers[start], numbers[end])
        index = config.node_type_to_index
        once = [index[name] for name in (*chain, "mix")]
        drawn = grafx_render.reorder_for_fast_render(drawn, method="fixed", fixed_order=[0, *once, *once])
        device = next(iter(bank.flatten().values())).device
        with torch.device(device):
            self._plan = grafx_render.prepare_render(grafx_data.convert_to_tensor(drawn))
        self.order = [data["name"] for _, data in sorted(drawn.nodes(data=True))]
        rows = {name: row for row, name in enumerate(tracks)}
        sources = [graph.node(name).source or "" for name in self.order[: len(graph.inputs)]]
        self._sources = torch.tensor([rows[name] for name in sources])
        self.ids = {type: [name for name in self.order if graph.node(name).type == type] for type in bank.ids}
        self._processors = torch.nn.ModuleDict({type: _effect(type, type in staged) for type in bank.ids})
        self.leaves: dict[str, Tensor] = {}
        self._named: dict[str, dict[str, Tensor]] = {}
        for type, ids in self.ids.items():
            values = bank.select(type, ids)
            for ours in (*NAMES[type], DRY_WET):
                leaf = values[ours].detach().clone()
                self.leaves[f"{type}.{ours}"] = leaf.requires_grad_()
        self._processors.to(device)
        self._place = {name: place for place, name in enumerate(self.order)}

    def render(self, sources: Tensor, *, grad: bool = True) -> tuple[Tensor, dict[str, Tensor]]:
        """The output `(2, time)` of sources `(track, 2, time)`, and the summed regularisers by GRAFX's names."""
        weights = torch.zeros(len(self.order), 1, device=sources.device)
        parameters: dict[str, dict[str, Tensor]] = {}
        for type, ids in self.ids.items():
            places = torch.tensor([self._place[name] for name in ids], device=sources.device)
            weights = weights.index_copy(0, places, torch.sigmoid(self.leaves[f"{type}.{DRY_WET}"])[:, None])
            parameters[type] = {
                theirs: _as_column(self.leaves[f"{type}.{ours}"]) for ours, theirs in NAMES[type].items()
            }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            output, found, _ = grafx_render.render_grafx(
                self._processors,
                sources[self._sources],
                parameters,
                self._plan,
                common_parameters={"drywet_weight": weights},
                parameters_grad=grad,
            )
        sums: dict[str, Tensor] = {}
        for values in found:
            for name, value in values.items():
                sums[name] = sums[name] + value if name in sums else value
        return output[0], sums

    def to_ours(self, values: dict[str, Tensor], bank: ParameterBank) -> dict[str, Tensor]:
        """Tensors named as `leaves` with rows in the bank's order."""
        found = {}
        for key, value in values.items():
            type = key.split(".")[0]
            found[key] = value[torch.tensor([self.ids[type].index(name) for name in bank.ids[type]])]
        return found


def _others(graph: Graph) -> list[Any]:
    return [node for node in graph.order if node.type != "in"]


def _as_column(value: Tensor) -> Tensor:
    return value[:, None] if value.ndim == 1 else value


def _effect(type: str, staged: bool) -> torch.nn.Module:
    plain = {"flashfftconv": False}
    effect = {
        "equalizer": lambda: grafx_processors.ZeroPhaseFIREqualizer(),
        "compressor": lambda: grafx_processors.Compressor(**plain, iir_len=ENVELOPE_TAPS),
        "noise_gate": lambda: grafx_processors.NoiseGate(**plain, iir_len=ENVELOPE_TAPS),
        "stereo_imager": lambda: grafx_processors.SideGainImager(),
        "gain_panning": lambda: grafx_processors.StereoGain(),
        "multitap_delay": lambda: grafx_processors.MultitapDelay(**plain),
        "reverb": lambda: grafx_processors.STFTMaskedNoiseReverb(**plain),
    }[type]()
    return grafx_processors.DryWet(grafx_processors.GainStagingRegularization(effect) if staged else effect)
