"""Hybrid: dry/wet, and brute force in every so many rounds (paper, section 5; its default)."""

from __future__ import annotations

import random

from mixgraph.prune.pruning import Proposals
from mixgraph.prune.strategies.base import STRATEGIES, Remaining, Strategy
from mixgraph.prune.strategies.brute_force import BruteForce
from mixgraph.prune.strategies.dry_wet import DryWet


@STRATEGIES.register("hybrid")
class Hybrid(Strategy):
    """Cheap rounds, with a thorough one every `brute_force_every`."""

    def propose(self, remaining: Remaining, *, round_number: int, rng: random.Random) -> Proposals:
        thorough = round_number % self.config.brute_force_every == 0
        strategy = (BruteForce if thorough else DryWet)(self.config)
        yield from strategy.propose(remaining, round_number=round_number, rng=rng)
