"""Segments side by side: in order, on one thread each, no more of them than were needed, and the same losses."""

from __future__ import annotations

from contextlib import closing

import pytest
import torch

from mixgraph.console import build_console
from mixgraph.fit.evaluate import evaluation_starts
from mixgraph.fit.problem import Problem
from mixgraph.fit.side_by_side import side_by_side
from mixgraph.fit.trials import Trials
from tests.engine import RATE, random_bank, small_problem, small_song
from tests.strategies import CHAIN

CPU = torch.device("cpu")


def test_outcomes_come_in_order_and_work_has_one_thread(threads: int) -> None:
    def work(item: int) -> tuple[int, int]:
        return item * item, torch.get_num_threads()

    assert list(side_by_side(work, range(20), CPU)) == [(item * item, 1) for item in range(20)]
    assert torch.get_num_threads() == threads


def test_two_at_once_share_four_threads() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    assert list(side_by_side(lambda _: torch.get_num_threads(), range(5), CPU, at_once=2)) == [2] * 5
    assert torch.get_num_threads() == 4
    torch.set_num_threads(before)


def test_who_stops_asking_pays_for_few_more(threads: int) -> None:
    done: list[int] = []

    def work(item: int) -> int:
        done.append(item)
        return item

    with closing(side_by_side(work, range(100), CPU)) as coming:
        assert [next(coming) for _ in range(5)] == [0, 1, 2, 3, 4]
    assert set(range(5)) <= set(done) <= set(range(5 + threads))
    assert torch.get_num_threads() == threads


def test_an_error_comes_out_and_threads_are_what_they_were(threads: int) -> None:
    def work(item: int) -> int:
        if item == 3:
            raise ArithmeticError("three")
        return item

    with pytest.raises(ArithmeticError, match="three"):
        list(side_by_side(work, range(10), CPU))
    assert torch.get_num_threads() == threads


@pytest.fixture(scope="module")
def problem() -> Problem:
    return small_problem(small_song(samples=2 * RATE, gains=[(0.5, 0.4), (0.3, 0.8), (0.7, 0.7)]))


@pytest.mark.parametrize("error", [0.0, 0.05])
@pytest.mark.parametrize("memory_mb", [0.3, 100])
def test_trials_are_the_same_on_one_thread_and_on_two(problem: Problem, error: float, memory_mb: float) -> None:
    graph = build_console(problem.song.tracks, {"band": problem.song.tracks[:2]}, CHAIN)
    bank = random_bank(graph, problem.processors, seed=0, dtype=torch.float32)

    def losses(threads: int) -> list[float]:
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            trials = Trials(problem, graph, bank, evaluation_starts(problem), error=error, memory_mb=memory_mb)
            found = [first := trials.first(), *trials.probe(2).values()]
            for node in graph.processors:
                given = {"masked": frozenset[str](), "loss": first, "limit": 1.01 * first}
                found.append(trials.loss_with(frozenset([node.id]), **given))
            return found
        finally:
            torch.set_num_threads(before)

    assert losses(2) == losses(1)
