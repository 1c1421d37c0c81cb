"""What a pruning strategy is: a generator of candidate sets that is told which were accepted."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mixgraph.config import PruneConfig
from mixgraph.prune.pruning import Proposals
from mixgraph.registry import Registry


@dataclass(frozen=True)
class Remaining:
    """The processors left at the start of a round: ids by type, and the dry/wet weight of each."""

    ids: Mapping[str, Sequence[str]]
    weights: Mapping[str, float]


class Strategy(ABC):
    """Proposes what to try next. Abstract; one file each, registered under a name."""

    def __init__(self, config: PruneConfig) -> None:
        self.config = config

    @abstractmethod
    def propose(self, remaining: Remaining, *, round_number: int, rng: random.Random) -> Proposals:
        """Yields sets of processors to mask and is sent back whether the trial was kept; rounds count from 1."""


STRATEGIES: Registry[type[Strategy]] = Registry("pruning strategy", "mixgraph.prune.strategies")
