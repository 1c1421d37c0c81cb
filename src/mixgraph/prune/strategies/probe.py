"""Probe: groups of processors in the order of what removing each alone costs on a few segments."""

from __future__ import annotations

import random

from mixgraph.prune.pruning import Proposals
from mixgraph.prune.strategies.base import STRATEGIES, Remaining, Strategy, in_groups


@STRATEGIES.register("probe")
class Probe(Strategy):
    """As dear as a Fisher score where trials are cheap, and it knows which removals are gains; trials verify it."""

    importance = "probe"

    def propose(self, remaining: Remaining, *, round_number: int, rng: random.Random) -> Proposals:
        yield from in_groups(remaining, self.config)
