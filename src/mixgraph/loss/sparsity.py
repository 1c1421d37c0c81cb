"""The weight of the sparsity penalty, the sum of all dry/wet weights (arXiv 2406.01049, section 4)."""

from __future__ import annotations

from mixgraph.config import LossConfig


def sparsity_weight(step: int, config: LossConfig) -> float:
    """Weight at fine-tuning step `step` (counted from 0 over all rounds): a linear ramp from zero, then constant."""
    if step >= config.sparsity_ramp_steps:
        return config.sparsity_weight
    return config.sparsity_weight * step / config.sparsity_ramp_steps
