"""Small sizes, random banks and tiny songs for the tests of the engine: `from tests.engine import ...`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mixgraph.audio.song import Song
from mixgraph.config import ProcessorConfig, SearchConfig
from mixgraph.dsp.level import LevelPair
from mixgraph.fit.problem import Problem
from mixgraph.graph.graph import Graph
from mixgraph.processors.bank import DRY_WET, ParameterBank, make_processors
from mixgraph.processors.base import PROCESSORS, Processor
from mixgraph.render.base import LevelProbe, Rendered, Renderer

RATE = 8_000
SIZES: dict[str, Any] = {
    "equalizer_bins": 8,
    "delay_seconds": 0.02,
    "delay_slot_seconds": 0.005,
    "delay_color_bins": 4,
    "reverb_seconds": 0.03,
    "reverb_fft_size": 16,
}
SMALL: dict[str, Any] = {
    "audio": {"sample_rate": RATE, "segment_seconds": 0.25},
    "processors": SIZES,
    "loss": {"fft_sizes": (128, 256), "mel_bands": 16, "weighting_taps": 31, "warm_up_seconds": 0.05},
    "prune": {"evaluation_hop_seconds": 0.2},
}
EVERYTHING = LevelProbe(frozenset(PROCESSORS), "mid")


def small_processors(**changes: Any) -> dict[str, Processor]:
    """All processors at small sizes."""
    return make_processors(tuple(PROCESSORS), RATE, ProcessorConfig(**SIZES | changes))


def small_config(**sections: Any) -> SearchConfig:
    """A configuration of small sizes; `sections` change keys of it."""
    changed = {name: SMALL.get(name, {}) | new if isinstance(new, dict) else new for name, new in sections.items()}
    return SearchConfig.model_validate(SMALL | changed)


def random_bank(
    graph: Graph,
    processors: dict[str, Processor],
    *,
    seed: int = 0,
    std: float = 0.4,
    dtype: torch.dtype = torch.float64,
) -> ParameterBank:
    """Parameters and dry/wet logits that no initial value is like, for every processor of the graph."""
    generator = torch.Generator().manual_seed(seed)
    ids = {type: graph.ids_of(type) for type in sorted({node.type for node in graph.processors})}
    bank = ParameterBank.initial(ids, processors, std=std, generator=generator)
    for group in bank.tensors.values():
        group[DRY_WET].copy_(torch.randn(group[DRY_WET].shape, generator=generator))
    return bank.to("cpu", dtype)


def noise(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    """Noise of standard deviation 0.3 whose level rises and falls."""
    generator = torch.Generator().manual_seed(1_000 + seed)
    swell = 0.55 + 0.45 * torch.sin(torch.arange(shape[-1], dtype=torch.float64) / 150)
    return (0.3 * swell * torch.randn(shape, generator=generator, dtype=torch.float64)).to(dtype)


def tracks_of(graph: Graph) -> tuple[str, ...]:
    """The tracks that the graph's inputs name."""
    return tuple(sorted({node.source for node in graph.inputs if node.source is not None}))


def gradients(
    renderer: Renderer, sources: Tensor, bank: ParameterBank, probe: LevelProbe = EVERYTHING
) -> tuple[Rendered, dict[str, Tensor]]:
    """What is rendered, and the gradients in every tensor of the bank and in the sources of a sum over it all."""
    bank = bank.to(sources.device, sources.dtype)
    leaves = bank.flatten() | {"sources": sources.clone()}
    for leaf in leaves.values():
        leaf.requires_grad_()
    rendered = renderer.render(leaves["sources"], bank, probe)
    toward = noise(*rendered.output.shape, seed=99, dtype=sources.dtype).to(sources.device)
    total = (rendered.output * toward).sum()
    for pair in rendered.levels.values():
        total = total + (pair.wet - 2 * pair.dry).sum()
    found = torch.autograd.grad(total, list(leaves.values()), allow_unused=True)
    known = {
        name: torch.zeros_like(leaf) if grad is None else grad
        for (name, leaf), grad in zip(leaves.items(), found, strict=True)
    }
    levels = {type: LevelPair(pair.dry.detach(), pair.wet.detach()) for type, pair in rendered.levels.items()}
    return Rendered(rendered.output.detach(), levels), known


def sorted_levels(levels: LevelPair) -> tuple[Tensor, Tensor, Tensor]:
    """Levels, and their ratios, in an order that does not depend on that of the nodes."""
    return levels.dry.sort().values, levels.wet.sort().values, (levels.wet / levels.dry).sort().values


def small_song(
    names: Sequence[str] = ("bass", "drums", "voice"),
    *,
    samples: int = 6_001,
    gains: Sequence[Sequence[float]] | None = None,
    seed: int = 0,
    name: str = "small",
    subgroups: dict[str, list[str]] | None = None,
) -> Song:
    """A song whose mix is its tracks times `gains` (left, right), or the plain sum."""
    tracks = noise(len(names), 2, samples, seed=seed, dtype=torch.float32).numpy()
    scale = np.ones((len(names), 2)) if gains is None else np.asarray(gains, dtype=np.float64)
    mix = (tracks * scale[:, :, None]).sum(0).astype(np.float32)
    return Song.from_arrays(name, dict(zip(names, tracks, strict=True)), mix, RATE, subgroups=subgroups)


def small_problem(song: Song | None = None, **sections: Any) -> Problem:
    """A problem of small sizes on the CPU."""
    return Problem(song or small_song(), small_config(**sections), torch.device("cpu"))
