"""One song, one configuration, one device: everything that stays the same while graph and parameters change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from mixgraph.audio.song import Song
from mixgraph.config import SearchConfig
from mixgraph.graph.graph import Graph
from mixgraph.loss.gain_staging import gain_staging
from mixgraph.loss.mix_loss import Features, LossTerms, MixLoss
from mixgraph.processors.bank import DRY_WET, ParameterBank, chain_types, make_processors
from mixgraph.processors.base import PROCESSORS, Processor
from mixgraph.render.base import LevelProbe
from mixgraph.render.batched import BatchedRenderer
from mixgraph.render.responses import Responses


@dataclass(frozen=True)
class Objective:
    """The training loss of one segment (paper, section 4) and the audio terms in it."""

    total: Tensor
    audio: LossTerms


class Problem:
    """A song to be matched. Raises `SongError` if the song is shorter than one segment."""

    def __init__(self, song: Song, config: SearchConfig, device: torch.device) -> None:
        song.require_length(config.segment_samples)
        self.song = song
        self.config = config
        self.device = device
        self.mix_loss = MixLoss(config.loss, config.audio.sample_rate)
        letters = config.loss.gain_staging_types
        self.probe = LevelProbe(frozenset(chain_types(letters)), config.loss.gain_staging_signal)
        self._targets: dict[int, Features] = {}

    @cached_property
    def processors(self) -> dict[str, Processor]:
        """All known processors by type."""
        return make_processors(tuple(PROCESSORS), self.config.audio.sample_rate, self.config.processors)

    def renderer(
        self,
        graph: Graph,
        *,
        tracks: tuple[str, ...] | None = None,
        responses: Responses | None = None,
        shortest_fft: int = 0,
    ) -> BatchedRenderer:
        """The graph, compiled for this song's tracks or for those given; the rest as in `BatchedRenderer`."""
        render = self.config.render
        passes = {
            "fuse_linear": render.fuse_linear,
            "compiled": render.compiled,
            "skip_silence": render.skip_silence,
            "responses": responses,
            "shortest_fft": shortest_fft,
        }
        return BatchedRenderer(graph, self.processors, tracks or self.song.tracks, render.schedule, **passes)

    def sources(self, start: int, tracks: Sequence[str] | None = None) -> Tensor:
        """The dry tracks, all or those named, of the segment at sample `start`, `(track, 2, time)`."""
        segment = self.song.track_segment(start, self.config.segment_samples, tracks)
        return torch.from_numpy(segment).to(self.device)

    def target(self, start: int, *, cached: bool = False) -> Features:
        """What the loss compares with: the features of the mix's segment; `cached` ones are kept for the next trial."""
        if start in self._targets:
            return self._targets[start]
        segment = torch.from_numpy(self.song.mix_segment(start, self.config.segment_samples)).to(self.device)
        with torch.no_grad():
            features = self.mix_loss.features(segment)
        if cached:
            self._targets[start] = features
        return features

    def objective(self, renderer: BatchedRenderer, bank: ParameterBank, start: int, *, sparsity: float) -> Objective:
        """The training loss at one segment; `sparsity` is the weight of the sum of dry/wet weights now."""
        loss = self.config.loss
        rendered = renderer.render(self.sources(start), bank, self.probe)
        audio = self.mix_loss.compare(estimate=self.mix_loss.features(rendered.output), target=self.target(start))
        total = audio.total
        if rendered.levels:
            total = total + loss.gain_staging_weight * gain_staging(rendered.levels)
        for kind, parameters in bank.tensors.items():
            penalty = self.processors[kind].penalty(parameters).sum()
            total = total + loss.radius_weight * penalty
            if sparsity:
                total = total + sparsity * torch.sigmoid(parameters[DRY_WET]).sum()
        return Objective(total, audio)
