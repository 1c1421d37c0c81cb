"""Strategies without audio: each is a generator that only hears whether a trial was kept (SPEC: paper, section 5)."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixgraph.config import PruneConfig
from mixgraph.prune.pruning import Candidates, prune_round
from mixgraph.prune.strategies.base import STRATEGIES, Remaining

QUICK = settings(max_examples=60, deadline=None)
Verdict = Callable[[Candidates], bool]
Log = list[tuple[Candidates, bool]]


@st.composite
def remainders(draw: st.DrawFn, max_count: int = 34) -> Remaining:
    """Processors left of up to four types, with dry/wet weights and importances that may tie."""
    counts = draw(st.lists(st.integers(0, max_count), max_size=4))
    ids = {f"type{index}": [f"{index}/{row}" for row in range(count)] for index, count in enumerate(counts)}
    seed = draw(st.integers(0, 999))
    rng, digits = random.Random(seed), draw(st.sampled_from((1, 6)))
    weights, importance = (
        {node: round(rng.random(), digits) for names in ids.values() for node in names} for _ in range(2)
    )
    return Remaining(ids, weights, importance)


VERDICTS = st.one_of(
    st.just(lambda candidates: True),
    st.just(lambda candidates: False),
    st.integers(0, 999).map(lambda seed: lambda tried: random.Random(f"{seed}{sorted(tried)}").random() < 0.5),
    st.integers(1, 4).map(lambda size: lambda candidates: len(candidates) <= size),
)


def played(name: str, remaining: Remaining, verdict: Verdict, *, round_number: int = 1, seed: int = 0, **config) -> Log:
    """The whole conversation with a strategy."""
    strategy = STRATEGIES[name](PruneConfig.model_validate(config))
    proposals = strategy.propose(remaining, round_number=round_number, rng=random.Random(seed))
    log: Log = []
    candidates = next(proposals, None)
    while candidates is not None:
        log.append((candidates, verdict(candidates)))
        assert len(log) < 10_000, "a strategy must come to an end"
        try:
            candidates = proposals.send(log[-1][1])
        except StopIteration:
            candidates = None
    return log


@pytest.mark.parametrize("name", STRATEGIES)
@QUICK
@given(remaining=remainders(), verdict=VERDICTS, round_number=st.integers(1, 12), seed=st.integers(0, 99))
def test_contract(name, remaining, verdict, round_number, seed):
    """Every proposal holds processors that are there and not yet masked; the same seed proposes the same."""
    log = played(name, remaining, verdict, round_number=round_number, seed=seed)
    left = {node for ids in remaining.ids.values() for node in ids}
    for candidates, accepted in log:
        assert isinstance(candidates, frozenset)
        assert candidates and candidates <= left
        if accepted:
            left -= candidates
    assert log == played(name, remaining, verdict, round_number=round_number, seed=seed)


@QUICK
@given(remaining=remainders(), verdict=VERDICTS, seed=st.integers(0, 99))
def test_brute_force_tries_every_processor_once_alone(remaining, verdict, seed):
    log = played("brute_force", remaining, verdict, seed=seed)
    assert all(len(candidates) == 1 for candidates, _ in log)
    tried = [node for candidates, _ in log for node in candidates]
    assert sorted(tried) == sorted(node for ids in remaining.ids.values() for node in ids)


def test_brute_force_goes_in_random_order_over_all_types():
    remaining = Remaining({"x": list("abcde"), "y": list("fghij")}, dict.fromkeys("abcdefghij", 0.5))
    logs = [played("brute_force", remaining, lambda _: True, seed=seed) for seed in range(20)]
    orders = {tuple(node for candidates, _ in log for node in candidates) for log in logs}
    assert len(orders) == 20
    assert any(order[0] in "fghij" for order in orders) and any(order[0] in "abcde" for order in orders)


def assert_follows_the_paper(remaining: Remaining, log: Log, ratio: float) -> None:
    """Checks a dry/wet conversation against the text, one sentence at a time."""
    ratios = {type: ratio for type, ids in remaining.ids.items() if ids}
    unmasked = {type: set(ids) for type, ids in remaining.ids.items()}
    for candidates, accepted in log:
        (type,) = {type for type, ids in remaining.ids.items() if candidates & set(ids)}
        assert type in ratios, "this type was dropped"
        wanted = max(1, round(ratios[type] * len(remaining.ids[type])))
        assert len(candidates) == min(wanted, len(unmasked[type]))
        largest = max(remaining.weights[node] for node in candidates)
        assert all(remaining.weights[node] >= largest for node in unmasked[type] - candidates), "smallest weights first"
        if accepted:
            unmasked[type] -= candidates
        elif len(candidates) == 1:
            del ratios[type]
        else:
            ratios[type] /= 2
        if not unmasked[type]:
            del ratios[type]
    assert not ratios, "types are left"


@QUICK
@given(remaining=remainders(), verdict=VERDICTS, ratio=st.sampled_from((0.1, 0.25, 0.5, 1.0)), seed=st.integers(0, 99))
def test_dry_wet_follows_the_paper(remaining, verdict, ratio, seed):
    assert_follows_the_paper(remaining, played("dry_wet", remaining, verdict, seed=seed, candidate_ratio=ratio), ratio)


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(3, [1]), (10, [1]), (16, [2, 1]), (30, [3, 2, 1]), (34, [3, 2, 1]), (100, [10, 5, 2, 1])],
)
def test_dry_wet_halves_its_share_until_a_single_processor_fails(count, sizes):
    names = [f"n{index}" for index in range(count)]
    remaining = Remaining({"x": names}, {name: index / count for index, name in enumerate(names)})
    log = played("dry_wet", remaining, lambda candidates: False)
    assert [candidates for candidates, _ in log] == [frozenset(names[:size]) for size in sizes]


def test_dry_wet_goes_on_after_a_single_processor_was_kept():
    """The published code would drop the type here."""
    remaining = Remaining({"x": list("abc")}, {"a": 0.3, "b": 0.1, "c": 0.2})
    log = played("dry_wet", remaining, lambda candidates: candidates != {"a"})
    assert log == [(frozenset("b"), True), (frozenset("c"), True), (frozenset("a"), False)]


def test_dry_wet_picks_types_at_random():
    ids = {type: [type + "1", type + "2"] for type in "xyz"}
    remaining = Remaining(ids, {node: 0.5 for names in ids.values() for node in names})
    first = {next(iter(played("dry_wet", remaining, lambda _: True, seed=seed)[0][0]))[0] for seed in range(40)}
    assert first == set("xyz")


@QUICK
@given(
    remaining=remainders(),
    verdict=VERDICTS,
    round_number=st.integers(1, 13),
    every=st.integers(1, 5),
    seed=st.integers(0, 9),
)
def test_hybrid_is_dry_wet_with_brute_force_every_so_many_rounds(remaining, verdict, round_number, every, seed):
    found = played("hybrid", remaining, verdict, round_number=round_number, seed=seed, brute_force_every=every)
    name = "brute_force" if round_number % every == 0 else "dry_wet"
    assert found == played(name, remaining, verdict, seed=seed)


def test_hybrid_is_thorough_in_rounds_4_8_and_12():
    remaining = Remaining({"x": list("abcdefgh")}, dict.fromkeys("abcdefgh", 0.5))
    trials = [len(played("hybrid", remaining, lambda _: False, round_number=number)) for number in range(1, 13)]
    assert [number for number, count in enumerate(trials, 1) if count == 8] == [4, 8, 12]


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("round_number", [1, 4])
def test_a_round_removes_what_costs_nothing_and_keeps_what_matters(name, round_number):
    """Ten idle processors with small weights and importances, and ten that cost far more than the tolerance."""
    idle, busy = [f"idle{index}" for index in range(10)], [f"busy{index}" for index in range(10)]
    weights = dict.fromkeys(idle, 0.2) | dict.fromkeys(busy, 0.8)
    strategy = STRATEGIES[name](PruneConfig.model_validate({"candidate_ratio": 0.2}))
    remaining = Remaining({"x": [*busy, *idle]}, weights, weights)
    outcome = prune_round(
        strategy.propose(remaining, round_number=round_number, rng=random.Random(1)),
        losses=Additive(dict.fromkeys(idle, 0.0) | dict.fromkeys(busy, 0.5)),
        tolerance=0.01,
    )
    assert outcome.removed == set(idle)


class Additive:
    """Losses of masks that add up from the cost of each node; counts its trials."""

    def __init__(self, costs: Mapping[str, float]) -> None:
        self.costs = costs
        self.trials = 0

    def first(self) -> float:
        return 1.0

    def loss_with(self, candidates: Candidates, *, masked: Candidates, loss: float, limit: float) -> float:
        self.trials += 1
        return 1 + math.fsum(self.costs[node] for node in masked | candidates)


def fisher_round(costs: Mapping[str, float], tolerance: float, **config) -> tuple[Candidates, Additive]:
    """What a round removes whose importance is the true cost; types alternate."""
    ids = {"x": list(costs)[::2], "y": list(costs)[1::2]}
    remaining, losses = Remaining(ids, dict.fromkeys(costs, 0.5), costs), Additive(costs)
    strategy = STRATEGIES["fisher"](PruneConfig.model_validate(config))
    proposals = strategy.propose(remaining, round_number=1, rng=random.Random(0))
    return prune_round(proposals, losses=losses, tolerance=tolerance).removed, losses


@QUICK
@given(
    costs=st.lists(st.integers(1, 400), min_size=1, max_size=150),
    tolerance=st.integers(1, 4_000),
    ratio=st.sampled_from((0.01, 0.1, 0.5, 1.0)),
    patience=st.integers(1, 9),
)
def test_fisher_finds_the_longest_run_of_least_important_processors_in_few_trials(costs, tolerance, ratio, patience):
    """True costs as importance: as many of the cheapest as stay below the limit, then `patience` singles in vain."""
    table = {f"n{index}": cost / 2**14 for index, cost in enumerate(costs)}
    order = sorted(table, key=lambda node: (table[node], node))
    sums = [math.fsum(table[node] for node in order[:count]) for count in range(len(order) + 1)]
    fitting = sum(total < tolerance / 2**14 for total in sums) - 1
    removed, losses = fisher_round(table, tolerance / 2**14, candidate_ratio=ratio, patience=patience)
    assert removed == set(order[:fitting])
    doublings = len(order).bit_length() + 1
    assert losses.trials <= doublings * (doublings + 1) + patience


@pytest.mark.parametrize("patience", [1, 3])
def test_fisher_ends_after_so_many_single_failures_in_a_row(patience):
    """The idle one comes fourth, after three that are thought to be less important than they are."""
    remaining = Remaining({"x": list("abcdefgh")}, {}, {node: index for index, node in enumerate("abcdefgh")})
    log = played("fisher", remaining, lambda tried: tried == {"c"}, patience=patience)
    singles = [frozenset(node) for node in ("a" if patience == 1 else "abcdef")]
    # After "c" was kept, two are tried before one.
    grown = [] if patience == 1 else [frozenset("de")]
    assert [candidates for candidates, _ in log] == singles[:3] + grown + singles[3:]


def test_fisher_doubles_after_a_success_and_halves_after_a_failure():
    names = [f"n{index:02}" for index in range(40)]
    remaining = Remaining({"x": names[::2], "y": names[1::2]}, {}, {node: float(node[1:]) for node in names})
    log = played("fisher", remaining, lambda tried: max(tried) < "n13", candidate_ratio=0.1, patience=2)
    assert [(min(tried), len(tried), kept) for tried, kept in log] == [
        ("n00", 4, True),
        ("n04", 8, True),
        ("n12", 16, False),
        ("n12", 8, False),
        ("n12", 4, False),
        ("n12", 2, False),
        ("n12", 1, True),
        ("n13", 2, False),
        ("n13", 1, False),
        ("n14", 1, False),
    ]
