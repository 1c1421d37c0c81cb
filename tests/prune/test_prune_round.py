"""The bookkeeping of a round: L_min, tolerance, masks and replay, against loss tables instead of audio."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from mixgraph.prune.pruning import Candidates, Outcome, Proposals, Trial, prune_round

QUICK = settings(max_examples=100, deadline=None)
NODES = tuple("abcdefgh")
COSTS = st.fixed_dictionaries({node: st.floats(-0.05, 0.05).map(lambda cost: round(cost, 3)) for node in NODES})
SETS = st.lists(st.frozensets(st.sampled_from(NODES), min_size=1), max_size=12)


def proposals(sets, heard: list[bool] | None = None) -> Proposals:
    """A strategy without a mind of its own: proposes the sets in order and notes the answers."""
    for candidates in sets:
        answer = yield candidates
        if heard is not None:
            heard.append(answer)


class Table:
    """A loss of masks: a base, a cost for each node, and perhaps one for pairs (then it is not additive)."""

    def __init__(self, costs, *, pair_cost: float = 0.0) -> None:
        self.costs, self.pair_cost = costs, pair_cost
        self.asked: list[Candidates] = []
        self.told: list[tuple[Candidates, float, float]] = []

    def first(self) -> float:
        return self(frozenset())

    def loss_with(self, candidates: Candidates, *, masked: Candidates, loss: float, limit: float) -> float:
        self.told.append((masked, loss, limit))
        return self(masked | candidates)

    def __call__(self, masked: Candidates) -> float:
        self.asked.append(masked)
        pairs = len(masked) * (len(masked) - 1) / 2
        return 1 + math.fsum(self.costs[node] for node in masked) + self.pair_cost * pairs


@QUICK
@given(costs=COSTS, sets=SETS, tolerance=st.sampled_from((0, 0.01, 0.1)), pair_cost=st.sampled_from((0, 0.01, -0.01)))
def test_a_trial_is_kept_below_the_lowest_loss_plus_tolerance_and_masks_accumulate(costs, sets, tolerance, pair_cost):
    table, heard, told = Table(costs, pair_cost=pair_cost), [], []
    outcome = prune_round(proposals(sets, heard), losses=table, tolerance=tolerance, on_trial=told.append)
    assert table.asked[0] == frozenset()
    lowest, masked = Table(costs, pair_cost=pair_cost)(frozenset()), frozenset()
    for candidates, asked, trial in zip(sets, table.asked[1:], outcome.trials, strict=True):
        assert asked == masked | candidates
        loss = Table(costs, pair_cost=pair_cost)(asked)
        assert trial == Trial(candidates, loss, loss < lowest + tolerance)
        lowest = min(lowest, loss)
        masked = asked if trial.accepted else masked
    assert outcome.removed == masked
    assert heard == [trial.accepted for trial in outcome.trials]
    assert tuple(told) == outcome.trials


def test_the_limit_follows_every_lower_loss_and_a_tie_is_refused():
    """A loss equal to the limit does not pass."""
    losses = iter([1.0, 0.9, 0.95, 0.9, 0.89])

    class Sequence(Table):
        def __call__(self, masked: Candidates) -> float:
            return next(losses)

    table = Sequence({})
    outcome = prune_round(proposals([frozenset(node) for node in "abcd"]), losses=table, tolerance=0.0)
    a = frozenset("a")
    assert table.told == [(frozenset(), 1.0, 1.0), (a, 0.9, 0.9), (a, 0.9, 0.9), (a, 0.9, 0.9)]
    assert [trial.accepted for trial in outcome.trials] == [True, False, False, True]
    assert outcome.removed == {"a", "d"}


def test_without_proposals_nothing_is_removed():
    assert prune_round(proposals([]), losses=Table({}), tolerance=1.0) == Outcome(frozenset(), ())


@QUICK
@given(costs=COSTS, sets=SETS, data=st.data())
def test_replay_of_recorded_trials_gives_the_same_outcome_without_evaluating_them(costs, sets, data):
    first = prune_round(proposals(sets), losses=Table(costs, pair_cost=0.004), tolerance=0.01)
    count = data.draw(st.integers(0, len(first.trials)))
    recorded = [Trial.from_json(trial.to_json()) for trial in first.trials[:count]]
    table, told = Table(costs, pair_cost=0.004), []
    again = prune_round(proposals(sets), losses=table, tolerance=0.01, recorded=recorded, on_trial=told.append)
    assert again == first
    assert len(table.asked) == 1 + len(first.trials) - count
    assert tuple(told) == first.trials


def test_a_recorded_trial_of_something_else_is_not_believed():
    foreign = [Trial(frozenset("b"), 0.0, True)]
    outcome = prune_round(proposals([frozenset("a")]), losses=Table({"a": 5.0}), tolerance=0.01, recorded=foreign)
    assert outcome == Outcome(frozenset(), (Trial(frozenset("a"), 6.0, False),))
