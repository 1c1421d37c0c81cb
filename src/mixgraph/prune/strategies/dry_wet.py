"""Dry/wet: the smallest dry/wet weights of a type are tried together (paper, section 5)."""

from __future__ import annotations

import random

from mixgraph.prune.pruning import Proposals
from mixgraph.prune.strategies.base import STRATEGIES, Remaining, Strategy


@STRATEGIES.register("dry_wet")
class DryWet(Strategy):
    """Halves a type's share of candidates on failure, and drops the type when a single candidate fails."""

    def propose(self, remaining: Remaining, *, round_number: int, rng: random.Random) -> Proposals:
        left = {kind: sorted(ids, key=remaining.weights.__getitem__) for kind, ids in remaining.ids.items() if ids}
        count = {kind: len(ids) for kind, ids in left.items()}
        ratio = dict.fromkeys(left, self.config.candidate_ratio)
        while left:
            kind = rng.choice(sorted(left))
            size = max(1, round(ratio[kind] * count[kind]))
            candidates = left[kind][:size]
            accepted = yield frozenset(candidates)
            if accepted:
                left[kind] = left[kind][size:]
            elif len(candidates) > 1:
                ratio[kind] /= 2
            if not left[kind] or (not accepted and len(candidates) == 1):
                del left[kind]
