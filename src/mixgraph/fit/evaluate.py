"""Evaluation: the mean audio loss over consecutive segments that cover the song (paper, section 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from mixgraph.fit.problem import Problem
from mixgraph.graph.graph import Graph
from mixgraph.processors.bank import ParameterBank
from mixgraph.render.base import Renderer


@dataclass(frozen=True)
class ChannelLoss:
    """An audio loss and its parts: the mean of left and right, mid and side."""

    total: float
    left_right: float
    mid: float
    side: float


@dataclass(frozen=True)
class Evaluation:
    """The loss in both conventions of spectral convergence: divided by the target's norm, or as published."""

    target: ChannelLoss
    published: ChannelLoss

    def to_json(self) -> dict[str, Any]:
        """`target` and `published` totals, and all parts of both under `channels`."""
        channels = {
            name: {"target": asdict(self.target)[name], "published": asdict(self.published)[name]} for name in PARTS
        }
        return {"target": self.target.total, "published": self.published.total, "channels": channels}


PARTS = ("left_right", "mid", "side")


def segment_starts(samples: int, segment: int, hop: int) -> tuple[int, ...]:
    """First samples of segments that cover a song; the last one ends where the song ends."""
    last = max(samples - segment, 0)
    return (*range(0, last, hop), last)


def evaluation_starts(problem: Problem) -> tuple[int, ...]:
    """The evaluation segments of a problem's song."""
    hop = round(problem.config.prune.evaluation_hop_seconds * problem.config.audio.sample_rate)
    return segment_starts(problem.song.samples, problem.config.segment_samples, hop)


def trial_starts(problem: Problem) -> tuple[int, ...]:
    """The `prune.trial_segments` evaluation segments that judge a trial; all of them if that is 0 or not fewer.

    Each next segment is the one that brings the tracks nearest to their loudest, so that a track which plays only once
    is heard in a trial; once all are, the one farthest from those chosen.
    """
    starts, count = evaluation_starts(problem), problem.config.prune.trial_segments
    if count == 0 or count >= len(starts):
        return starts
    song, length = problem.song, problem.config.segment_samples
    levels = np.stack([np.square(song.track_segment(start, length)).mean((1, 2)) for start in starts])
    shares = levels / np.maximum(levels.max(0), 1e-12)
    heard, chosen = np.zeros(len(song.tracks)), []
    while len(chosen) < count:
        gains = np.maximum(shares - heard, 0).sum(1)
        left = [index for index in range(len(starts)) if index not in chosen]
        best = max(left, key=lambda index: (gains[index], min((abs(index - other) for other in chosen), default=0)))
        heard = np.maximum(heard, shares[best])
        chosen.append(best)
    return tuple(starts[index] for index in sorted(chosen))


@torch.no_grad()
def evaluate(
    problem: Problem, graph: Graph, bank: ParameterBank, starts: Sequence[int], *, renderer: Renderer | None = None
) -> Evaluation:
    """The mean loss over the segments at `starts`, in both conventions and per channel.

    `renderer` is the graph's, for the song's tracks; by default the problem's.
    """
    renderer = renderer or problem.renderer(graph)
    sums = {"target": [0.0] * 4, "published": [0.0] * 4}
    for start in starts:
        estimate = problem.mix_loss.features(renderer.render(problem.sources(start), bank).output)
        for convention, terms in problem.mix_loss.both(
            estimate=estimate, target=problem.target(start, cached=True)
        ).items():
            values = (terms.total, terms.left_right, terms.mid, terms.side)
            sums[convention] = [
                total + value / len(starts)
                for total, value in zip(sums[convention], torch.stack(values).tolist(), strict=True)
            ]
    return Evaluation(target=ChannelLoss(*sums["target"]), published=ChannelLoss(*sums["published"]))


def criterion(problem: Problem, evaluation: Evaluation) -> float:
    """The one number that pruning and training go by: the total in the configured convention."""
    return getattr(evaluation, problem.config.loss.convergence).total
