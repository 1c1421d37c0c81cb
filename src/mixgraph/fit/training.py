"""Gradient descent on a bank of parameters, one random segment a step (paper, section 4)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mixgraph.fit.optimiser import Moments, Optimiser
from mixgraph.fit.problem import Problem
from mixgraph.fit.schedules import SCHEDULES
from mixgraph.graph.graph import Graph
from mixgraph.loss.sparsity import sparsity_weight
from mixgraph.processors.bank import ParameterBank

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
    """What one step gave: the training loss and the audio loss in it, before the update."""

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
        objective = problem.objective(renderer, bank, int(starts[step]), sparsity=sparsity)
        optimiser.step(objective.total, phase.rate(step))
        report = StepReport(step + 1, objective.total.item(), objective.audio.total.item())
        on_step(report, lambda: Moments(report.step, optimiser.state()))  # noqa: B023 - called at once


def segment_draws(problem: Problem, phase: Phase) -> np.ndarray:
    """First samples of the segments that the steps of a phase see, `(steps,)`.

    Drawn for the whole phase at once: a resumed run needs no generator state to see the same segments. By the golden
    ratio, any stretch of steps covers the song almost evenly.
    """
    last = problem.song.samples - problem.config.segment_samples
    rng = np.random.default_rng([problem.config.seed, phase.round])
    if problem.config.fit.segment_draw == "uniform":
        return rng.integers(0, last + 1, size=phase.steps)
    places = (rng.random() + GOLDEN_RATIO * np.arange(phase.steps)) % 1
    return (places * (last + 1)).astype(np.int64)
