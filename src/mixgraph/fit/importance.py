"""How much each processor matters, from gradients: a Fisher score in place of trying it out."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from mixgraph.fit.problem import Problem
from mixgraph.graph.graph import Graph
from mixgraph.processors.bank import DRY_WET, ParameterBank


def fisher_scores(problem: Problem, graph: Graph, bank: ParameterBank, starts: Sequence[int]) -> dict[str, float]:
    """Mean over the segments at `starts` of (w dL_a/dw)^2 per processor, w its dry/wet weight.

    At a minimum the mean of the gradient vanishes and says nothing of removal, w to 0; its second moment estimates the
    curvature (Theis et al. 2018, arXiv 1801.05787).
    """
    if not graph.processors:
        return {}
    bank = bank.to(problem.device)
    # Nearer to w = 1, single precision would lose 1 - w.
    logits = [group[DRY_WET].clamp_(max=8).requires_grad_() for group in bank.tensors.values()]
    renderer = problem.renderer(graph)
    sums = [torch.zeros_like(logit) for logit in logits]
    for start in starts:
        estimate = problem.mix_loss.features(renderer.render(problem.sources(start), bank).output)
        loss = problem.mix_loss.compare(estimate=estimate, target=problem.target(start, cached=True)).total
        for total, slope in zip(sums, torch.autograd.grad(loss, logits, materialize_grads=True), strict=True):
            total += slope.square()
    scores: dict[str, float] = {}
    for ids, logit, total in zip(bank.ids.values(), logits, sums, strict=True):
        # dL/dlogit = w (1 - w) dL/dw.
        of_type = total / (len(starts) * torch.sigmoid(-logit.detach()).square())
        scores |= dict(zip(ids, of_type.tolist(), strict=True))
    return scores
