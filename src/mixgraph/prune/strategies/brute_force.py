"""Brute force: every remaining processor, one by one, in random order (paper, section 5)."""

from __future__ import annotations

import random

from mixgraph.prune.pruning import Proposals
from mixgraph.prune.strategies.base import STRATEGIES, Remaining, Strategy


@STRATEGIES.register("brute_force")
class BruteForce(Strategy):
    """Tries each processor alone."""

    def propose(self, remaining: Remaining, *, round_number: int, rng: random.Random) -> Proposals:
        nodes = [node for ids in remaining.ids.values() for node in ids]
        rng.shuffle(nodes)
        for node in nodes:
            yield frozenset([node])
