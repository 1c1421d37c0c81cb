"""Sequential trials against tables of losses: early refusals are right as often as they say."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixgraph.console import build_console
from mixgraph.fit.cuts import Cuts
from mixgraph.fit.sequential import LOOKS
from mixgraph.fit.trials import Trials
from mixgraph.processors.bank import ParameterBank
from mixgraph.prune.pruning import Candidates
from tests.engine import small_problem, small_song

NOTHING: Candidates = frozenset()


class TableCuts(Cuts):
    """Signatures that say only in which segments a difference is heard."""

    heard: Callable[[int], bool]

    def output(self, start: int, masked: frozenset[str]) -> int:
        return 2 if masked and self.heard(start) else 1


class TableTrials(Trials):
    """Trials of a table instead of audio: losses by segment before and after, and which segments hear a difference."""

    def set(self, before: Sequence[float], after: Sequence[float], heard: Callable[[int], bool] = lambda _: True):
        self.before, self.after = before, after
        self._cuts = TableCuts(self.problem, self.graph)
        self._cuts.heard = heard
        self.asked: list[int] = []
        return self

    def _loss(self, start: int, masked: frozenset[str]) -> float:
        if masked:
            self.asked.append(start)
        return (self.after if masked else self.before)[start]

    def verdict(self, limit: float, loss: float) -> bool:
        return self.loss_with(frozenset("x"), masked=NOTHING, loss=loss, limit=limit) < limit


@pytest.fixture(scope="module")
def tabled() -> Callable[..., TableTrials]:
    graph = build_console(["a"], {}, ["gain_panning"])
    problems = {seed: small_problem(small_song(["a"]), seed=seed) for seed in (0, 1)}

    def make(count: int, error: float = 0, seed: int = 0) -> TableTrials:
        problem = problems[seed]
        return TableTrials(problem, graph, ParameterBank({}, {}), range(count), error=error)

    return make


@settings(max_examples=200, deadline=None)
@given(losses=st.lists(st.floats(0, 4), min_size=1, max_size=9), limit=st.floats(0, 4))
def test_a_trial_that_ends_early_is_refused_exactly_when_its_mean_is(tabled, losses, limit):
    trials = tabled(len(losses)).set(losses, losses)
    mean = trials.first()
    assert mean == pytest.approx(statistics.fmean(losses))
    for bound in (limit, mean):
        trials.asked.clear()
        found = trials.loss_with(frozenset("x"), masked=NOTHING, loss=mean, limit=bound)
        assert (found >= bound) == (mean >= bound) and (found == mean or mean >= bound)
        sums = np.cumsum([losses[start] for start in trials.asked]) / len(losses)
        assert all(sums[:-1] < bound), "goes on only while it may pass"


def draw_changes(kind: str, count: int, rng: np.random.Generator) -> np.ndarray:
    """What a trial changes in each segment; of the size that removing a processor has."""
    draws = {
        "normal": lambda: rng.normal(size=count),
        "uniform": lambda: rng.uniform(-1, 1, count),
        "skewed": lambda: rng.exponential(size=count),
        "skewed down": lambda: -rng.gamma(2, size=count),
        "lognormal": lambda: rng.lognormal(sigma=1.5, size=count),
        "student": lambda: rng.standard_t(2, size=count),
        "rare": lambda: 0.05 * rng.normal(size=count) + 5 * (rng.random(count) < 0.05),
    }
    return 0.01 * draws[kind]()


def play(tabled, kind: str, error: float, distance: float, *, trials: int = 400, counts=(8, 30, 100, 300)):
    """The share of wrong refusals, and of segments used where refusing is right.

    The limit lies `distance` standard deviations above or below the mean by turns.
    """
    rng, wrong, used, total = np.random.default_rng(7), 0, 0, 0
    for trial in range(trials):
        count = counts[trial % len(counts)]
        before, changes = rng.uniform(0.2, 1, count), draw_changes(kind, count, rng)
        after, loss = before + changes, float(before.mean())
        limit = loss + float(changes.mean() + (-1) ** (trial // len(counts)) * distance * changes.std())
        table = tabled(count, error).set(before.tolist(), after.tolist())
        kept = table.verdict(limit, loss)
        if kept:
            assert after.mean() < limit and len(table.asked) == count, "what is kept has been heard everywhere"
        wrong += not kept and after.mean() < limit
        if after.mean() >= limit:
            used, total = used + len(table.asked), total + count
    return wrong / trials, used / total


@pytest.mark.parametrize("error", [0.05, 0.2])
@pytest.mark.parametrize("kind", ["normal", "uniform", "skewed", "skewed down", "lognormal", "student", "rare"])
def test_a_sequential_trial_is_refused_wrongly_no_more_often_than_it_says_and_never_kept_wrongly(tabled, kind, error):
    for distance in (0.02, 0.1):
        assert play(tabled, kind, error, distance, trials=600)[0] <= error
    shares = [play(tabled, kind, error, distance, trials=80)[1] for distance in (0.02, 0.1, 0.3, 1, 3)]
    assert shares == sorted(shares, reverse=True), "the farther, the sooner"
    assert shares[-1] < 0.1 < 0.5 < shares[0]


@pytest.mark.parametrize("count", [1, LOOKS[0] - 1, LOOKS[0]])
def test_few_segments_are_all_heard(tabled, count):
    before = np.linspace(0.2, 0.4, count)
    trials = tabled(count, 0.2).set(before, before + 1)
    found = trials.loss_with(frozenset("x"), masked=NOTHING, loss=0.3, limit=0.31)
    assert found == pytest.approx(1.3) and len(trials.asked) == count


def test_candidates_are_judged_on_the_segments_that_hear_them(tabled):
    """One segment in ten loses ten times the tolerance: refused after a few of those ten, or kept after all of them."""
    count, tolerance = 100, 0.01
    before = np.full(count, 0.5)
    for change, kept in ((0.101, False), (0.099, True)):
        rng = np.random.default_rng(1)
        after = before + change + 1e-4 * rng.normal(size=count)
        trials = tabled(count, 0.01).set(before, after, lambda start: start % 10 == 3)
        found = trials.loss_with(frozenset("x"), masked=NOTHING, loss=0.5, limit=0.5 + tolerance)
        assert (found < 0.5 + tolerance) == kept and found == pytest.approx(0.5 + change / 10, abs=1e-4)
        assert all(start % 10 == 3 for start in trials.asked) and len(trials.asked) == (10 if kept else LOOKS[0])
    nobody = tabled(count, 0.01).set(before, before, lambda start: False)
    assert nobody.loss_with(frozenset("x"), masked=NOTHING, loss=0.5, limit=0.6) == 0.5 and not nobody.asked


def test_the_seed_decides_the_order_and_the_verdicts(tabled):
    rng = np.random.default_rng(3)
    before, changes = rng.uniform(0.2, 1, 200), rng.normal(size=(40, 200))

    def play_all(seed: int) -> list[tuple[float, list[int]]]:
        told = []
        for row in changes:
            trials = tabled(200, 0.2, seed).set(before, before + row)
            first = trials.first()
            told.append((trials.loss_with(frozenset("x"), masked=NOTHING, loss=first, limit=first), trials.asked))
        return told

    one, same, other = play_all(0), play_all(0), play_all(1)
    assert one == same
    assert one[0][1] != sorted(one[0][1]) and one[0][1][:6] != other[0][1][:6]
    assert len({len(asked) for _, asked in one}) > 2
