"""Fisher: groups of processors in the order of their gradients' second moment."""

from __future__ import annotations

import random

from mixgraph.prune.pruning import Proposals
from mixgraph.prune.strategies.base import STRATEGIES, Remaining, Strategy, in_groups


@STRATEGIES.register("fisher")
class Fisher(Strategy):
    """The order is a Fisher score (arXiv 1801.05787): one backward pass over some segments; trials verify it."""

    importance = "fisher"

    def propose(self, remaining: Remaining, *, round_number: int, rng: random.Random) -> Proposals:
        yield from in_groups(remaining, self.config)
