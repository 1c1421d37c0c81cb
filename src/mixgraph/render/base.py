"""What every renderer is given and gives back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from mixgraph.dsp.level import LevelPair, mean_square_level
from mixgraph.graph.graph import Graph
from mixgraph.processors.bank import ParameterBank
from mixgraph.processors.base import Processor


@dataclass(frozen=True)
class Rendered:
    """The output `(2, time)`, per observed processor type the levels before and after (gain staging), and signals.

    `signals` are those `(2, time)` that leave the nodes asked for.
    """

    output: Tensor
    levels: Mapping[str, LevelPair] = field(default_factory=dict)
    signals: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class LevelProbe:
    """Which processor types have their dry and wet levels observed, on which signal (`mid` or `stereo`)."""

    types: frozenset[str] = frozenset()
    signal: Literal["mid", "stereo"] = "mid"

    def measure(self, dry: Tensor, wet: Tensor) -> LevelPair:
        """Levels of a batch of processors, `(node,)` each."""
        return LevelPair(dry=mean_square_level(dry, self.signal), wet=mean_square_level(wet, self.signal))


NO_PROBE = LevelProbe()


def join_levels(seen: Mapping[str, Sequence[LevelPair]]) -> dict[str, LevelPair]:
    """One pair per type from the pairs of its batches, nodes in the order in which they were measured."""
    return {
        kind: LevelPair(dry=torch.cat([pair.dry for pair in pairs]), wet=torch.cat([pair.wet for pair in pairs]))
        for kind, pairs in seen.items()
    }


class Renderer(ABC):
    """A graph made ready to render. Abstract; two renderers, one truth: `reference` and `batched`.

    `tracks` names the rows of the sources that will be given.
    """

    def __init__(self, graph: Graph, processors: Mapping[str, Processor], tracks: tuple[str, ...]) -> None:
        self.graph = graph
        self.processors = processors
        self.track_row = {name: row for row, name in enumerate(tracks)}

    @abstractmethod
    def render(self, sources: Tensor, bank: ParameterBank, probe: LevelProbe = NO_PROBE) -> Rendered:
        """Sources `(track, 2, time)` to the output; differentiable in the bank's tensors and the sources."""
