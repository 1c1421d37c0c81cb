"""Gradient descent on a bank of parameters, one or more random segments a step (paper, section 4)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from mixgraph.fit.optimiser import Moments, Optimiser
from mixgraph.fit.problem import Problem
from mixgraph.fit.schedules import SCHEDULES
from mixgraph.fit.side_by_side import side_by_side
from mixgraph.graph.graph import Graph
from mixgraph.loss.sparsity import sparsity_weight
from mixgraph.processors.bank import ParameterBank
from mixgraph.render.batched import BatchedRenderer

GOLDEN_RATIO = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class Phase:
    """One stretch of training: the console (round 0) or the fine-tuning after a pruning round.

    `sparsity_offset` is the number of fine-tuning steps before this phase; None leaves sparsity out.
    """

    round: int
    steps: int
    learning_rate: float
    schedule: str = "constant"
    sparsity_offset: int | None = None

    def rate(self, step: int) -> float:
        """The learning rate of a step."""
        return self.learning_rate * SCHEDULES[self.schedule](step, self.steps)


@dataclass(frozen=True)
class StepReport:
    """What one step gave: the training loss and the audio loss in it, means over its segments, before the update."""

    step: int
    loss: float
    audio: float


def train(
    problem: Problem,
    graph: Graph,
    bank: ParameterBank,
    phase: Phase,
    *,
    moments: Moments | None = None,
    on_step: Callable[[StepReport, Callable[[], Moments]], None],
) -> None:
    """Fits the bank in place, from the step of `moments` to the end of the phase.

    `on_step` is told each step and may ask for the optimiser's state then (to write a checkpoint) or raise to stop.
    """
    fit = problem.config.fit
    renderer = problem.renderer(graph)
    optimiser = Optimiser(bank, fit, moments.tensors if moments else {})
    starts = segment_draws(problem, phase)
    for step in range(moments.step if moments else 0, phase.steps):
        if fit.restart_steps and step and step % fit.restart_steps == 0:
            optimiser = Optimiser(bank, fit, {})
        offset = phase.sparsity_offset
        sparsity = 0.0 if offset is None else sparsity_weight(offset + step, problem.config.loss)
        work = partial(slope, problem, renderer, bank, optimiser.leaves, sparsity)
        slopes = side_by_side(work, starts[step].tolist(), problem.device, at_once=fit.segments_per_step)
        mean = mean_slope(list(slopes))
        optimiser.step(mean.gradients, phase.rate(step))
        report = StepReport(step + 1, mean.loss, mean.audio)
        on_step(report, lambda: Moments(report.step, optimiser.state()))  # noqa: B023 - called at once


@dataclass(frozen=True)
class Slope:
    """Training loss and audio loss of a segment, and the gradients of the first, one for each of the bank's tensors."""

    loss: float
    audio: float
    gradients: Sequence[Tensor]


def slope(
    problem: Problem,
    renderer: BatchedRenderer,
    bank: ParameterBank,
    leaves: Sequence[Tensor],
    weight: float,
    start: int,
) -> Slope:
    """That of the segment at sample `start`; `weight` is that of the sparsity now."""
    objective = problem.objective(renderer, bank, start, sparsity=weight)
    gradients = torch.autograd.grad(objective.total, leaves, allow_unused=True, materialize_grads=True)
    return Slope(objective.total.item(), objective.audio.total.item(), gradients)


def mean_slope(slopes: Sequence[Slope]) -> Slope:
    """The mean, summed in order: the same bits whoever was ready first."""
    count = len(slopes)
    if count == 1:
        return slopes[0]
    gradients = [torch.stack(parts).mean(0) for parts in zip(*(slope.gradients for slope in slopes), strict=True)]
    loss, audio = (sum(values) / count for values in zip(*((slope.loss, slope.audio) for slope in slopes), strict=True))
    return Slope(loss, audio, gradients)


def segment_draws(problem: Problem, phase: Phase) -> np.ndarray:
    """First samples of the segments that the steps of a phase see, `(steps, segments_per_step)`.

    Drawn for the whole phase at once: a resumed run needs no generator state to see the same segments. By the golden
    ratio, any stretch of steps covers the song almost evenly, and so do the segments of one step.
    """
    last, fit = problem.song.samples - problem.config.segment_samples, problem.config.fit
    shape = phase.steps, fit.segments_per_step
    rng = np.random.default_rng([problem.config.seed, phase.round])
    if fit.segment_draw == "uniform":
        return rng.integers(0, last + 1, size=shape)
    step, segment = np.indices(shape)
    places = (rng.random() + GOLDEN_RATIO * step + segment / fit.segments_per_step) % 1
    return (places * (last + 1)).astype(np.int64)
