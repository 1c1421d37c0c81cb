"""Gain staging: a processor should hand on the level it was given (arXiv 2406.01049, section 4)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from mixgraph.dsp.level import LevelPair

LEVEL_FLOOR = 1e-7


def gain_staging(levels: Mapping[str, LevelPair]) -> Tensor:
    """Scalar sum over all nodes of |ln(wet + 1e-7) - ln(dry + 1e-7)|; zero without nodes."""
    if not levels:
        return torch.zeros(())
    changes = [(pair.wet + LEVEL_FLOOR).log() - (pair.dry + LEVEL_FLOOR).log() for pair in levels.values()]
    return torch.cat(changes).abs().sum()
