"""Gradient descent on a bank of parameters: AdamW, one random segment a step (paper, section 4)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from mixgraph.config import FitConfig
from mixgraph.fit.problem import Problem
from mixgraph.graph.graph import Graph
from mixgraph.loss.sparsity import sparsity_weight
from mixgraph.processors.bank import ParameterBank

GOLDEN_RATIO = (math.sqrt(5) - 1) / 2
ADAM_STATE = ("exp_avg", "exp_avg_sq", "step")


@dataclass(frozen=True)
class Phase:
    """One stretch of training: the console (round 0) or the fine-tuning after a pruning round.

    `sparsity_offset` is the number of fine-tuning steps before this phase; None leaves sparsity out.
    """

    round: int
    steps: int
    learning_rate: float
    one_cycle: bool = False
    sparsity_offset: int | None = None


@dataclass(frozen=True)
class StepReport:
    """What one step gave: the training loss and the audio loss in it, before the update."""

    step: int
    loss: float
    audio: float


@dataclass
class Moments:
    """AdamW's state between two steps as plain tensors, so that a checkpoint can hold it; empty: forgotten."""

    step: int = 0
    tensors: dict[str, Tensor] = field(default_factory=dict)


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
    leaves = bank.require_grad()
    names = list(bank.flatten())
    optimiser = _optimiser(leaves, names, moments.tensors if moments else {})
    starts = segment_draws(problem, phase)
    for step in range(moments.step if moments else 0, phase.steps):
        if fit.restart_steps and step and step % fit.restart_steps == 0:
            optimiser = _optimiser(leaves, names, {})
        for group in optimiser.param_groups:
            group["lr"] = _learning_rate(phase, step, fit)
        offset = phase.sparsity_offset
        sparsity = 0.0 if offset is None else sparsity_weight(offset + step, problem.config.loss)
        objective = problem.objective(renderer, bank, int(starts[step]), sparsity=sparsity)
        optimiser.zero_grad(set_to_none=True)
        objective.total.backward()
        for leaf in leaves:
            if leaf.grad is None:
                # No track that has this processor was heard; its moments fade all the same.
                leaf.grad = torch.zeros_like(leaf)
        optimiser.step()
        report = StepReport(step + 1, objective.total.item(), objective.audio.total.item())
        on_step(report, lambda: Moments(report.step, _state(optimiser, names)))  # noqa: B023 - called at once


def _optimiser(leaves: list[Tensor], names: list[str], state: Mapping[str, Tensor]) -> torch.optim.AdamW:
    optimiser = torch.optim.AdamW(leaves, weight_decay=0.0)
    for name, leaf in zip(names, leaves, strict=True):
        if f"{name}/step" in state:
            optimiser.state[leaf] = {part: state[f"{name}/{part}"].clone() for part in ADAM_STATE}
    return optimiser


def _state(optimiser: torch.optim.AdamW, names: list[str]) -> dict[str, Tensor]:
    leaves = optimiser.param_groups[0]["params"]
    return {
        f"{name}/{part}": optimiser.state[leaf][part].detach().clone()
        for name, leaf in zip(names, leaves, strict=True)
        if leaf in optimiser.state
        for part in ADAM_STATE
    }


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


def _learning_rate(phase: Phase, step: int, fit: FitConfig) -> float:
    """Constant, or one cycle of a cosine: up over a tenth of the phase, down to a hundredth (arXiv 1708.07120)."""
    if not phase.one_cycle:
        return phase.learning_rate
    low = phase.learning_rate / 100
    rise = max(1, round(0.1 * phase.steps))
    share = step / rise if step < rise else 1 - (step - rise) / max(1, phase.steps - rise)
    return low + (phase.learning_rate - low) * (1 - math.cos(math.pi * share)) / 2
