"""What a pruning strategy is: a generator of candidate sets that is told which were accepted."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from mixgraph.config import PruneConfig
from mixgraph.prune.pruning import Proposals
from mixgraph.registry import Registry


@dataclass(frozen=True)
class Remaining:
    """The processors left at the start of a round: ids by type, and the dry/wet weight of each.

    `importance` is what removing each is expected to cost, on any scale; empty unless the strategy names one.
    """

    ids: Mapping[str, Sequence[str]]
    weights: Mapping[str, float]
    importance: Mapping[str, float] = field(default_factory=dict)


class Strategy(ABC):
    """Proposes what to try next. Abstract; one file each, registered under a name."""

    importance: ClassVar[Literal["", "fisher", "probe"]] = ""
    """What orders processors: nothing, `mixgraph.fit.importance` or `mixgraph.fit.trials.Trials.probe`."""

    def __init__(self, config: PruneConfig) -> None:
        self.config = config

    @abstractmethod
    def propose(self, remaining: Remaining, *, round_number: int, rng: random.Random) -> Proposals:
        """Yields sets of processors to mask and is sent back whether the trial was kept; rounds count from 1."""


STRATEGIES: Registry[type[Strategy]] = Registry("pruning strategy", "mixgraph.prune.strategies")


def in_groups(remaining: Remaining, config: PruneConfig) -> Proposals:
    """The least important processors first, in groups that double after a success and halve after a failure.

    A single failure is skipped; `patience` of them in a row end the round.
    """
    nodes = [node for ids in remaining.ids.values() for node in ids]
    left = sorted(nodes, key=lambda node: (remaining.importance[node], node))
    size, failures = max(1, round(config.candidate_ratio * len(left))), 0
    while left and failures < config.patience:
        size = min(size, len(left))
        accepted = yield frozenset(left[:size])
        if accepted:
            left, size, failures = left[size:], 2 * size, 0
        elif size > 1:
            size //= 2
        else:
            left, failures = left[1:], failures + 1
