"""The optimiser loop: it recovers known gains, follows its schedules, and goes on bit-identically after a break."""

from __future__ import annotations

import contextlib
from typing import get_args

import numpy as np
import pytest
import torch

from mixgraph.config import FitConfig
from mixgraph.console import build_console
from mixgraph.fit.optimiser import Moments, Optimiser
from mixgraph.fit.schedules import SCHEDULES
from mixgraph.fit.start import initial_bank
from mixgraph.fit.training import Phase, StepReport, segment_draws, train
from mixgraph.loss.sparsity import sparsity_weight
from mixgraph.processors.bank import ParameterBank
from tests.engine import small_problem, small_song
from tests.strategies import CHAIN

GAINS = [[0.5, 0.25], [1.5, 1.0], [0.2, 0.9]]


def run(problem, graph, bank, phase, moments=None) -> tuple[ParameterBank, list[StepReport], list[Moments]]:
    """Trains a copy of the bank; the copy, and what was reported."""
    bank, reports, states = bank.to("cpu"), [], []

    def on_step(report, state) -> None:
        reports.append(report)
        states.append(state())

    train(problem, graph, bank, phase, moments=moments, on_step=on_step)
    return bank.to("cpu"), reports, states


def assert_identical(one: ParameterBank, other: ParameterBank) -> None:
    assert one.ids == other.ids
    for name, tensor in one.flatten().items():
        assert torch.equal(tensor, other.flatten()[name]), name


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("optimiser", ["adamw", "nadam"])
def test_known_gains_are_recovered(schedule, optimiser):
    problem = small_problem(small_song(gains=GAINS), loss={"gain_staging_weight": 0.0}, fit={"optimiser": optimiser})
    graph = build_console(problem.song.tracks, {"band": problem.song.tracks}, ["gain_panning"])
    start = initial_bank(problem, graph)
    bank, reports, _ = run(problem, graph, start, Phase(0, 150, 0.15, schedule))
    gains = problem.renderer(graph).render(torch.eye(3)[:, None, :].expand(3, 2, 3).contiguous(), bank).output.T
    np.testing.assert_allclose(gains.numpy(), GAINS, rtol=0.08 if schedule == "constant" else 0.02)
    assert reports[-1].audio < reports[0].audio / 10
    assert [report.step for report in reports] == list(range(1, 151))


@pytest.fixture(scope="module")
def problem():
    return small_problem(loss={"sparsity_ramp_steps": 4, "sparsity_weight": 0.01}, fit={"initial_std": 0.1})


@pytest.fixture(scope="module")
def console(problem):
    graph = build_console(problem.song.tracks, {"band": problem.song.tracks[:2]}, CHAIN)
    return graph, initial_bank(problem, graph)


def test_six_steps_are_three_and_three_more(problem, console):
    phase = Phase(2, 6, 0.02, "one_cycle", sparsity_offset=2)
    whole, reports, states = run(problem, console[0], console[1], phase)
    again, same, _ = run(problem, console[0], console[1], phase)
    assert reports == same
    assert_identical(whole, again)

    class Broken(Exception):
        pass

    bank, kept = console[1].to("cpu"), []

    def stop_at_three(report, state) -> None:
        if report.step == 3:
            kept.append(state())
            raise Broken

    with pytest.raises(Broken):
        train(problem, console[0], bank, phase, on_step=stop_at_three)
    assert kept[0].step == 3
    rest, late, after = run(problem, console[0], bank, phase, kept[0])
    assert_identical(rest, whole)
    assert late == reports[3:]
    for name, tensor in states[-1].tensors.items():
        assert torch.equal(tensor, after[-1].tensors[name]), name
    forgotten, _, _ = run(problem, console[0], bank, phase, Moments(3, {}))
    assert any(not torch.equal(tensor, forgotten.flatten()[name]) for name, tensor in whole.flatten().items())


def test_a_step_of_three_segments_goes_down_the_mean_of_their_gradients(console):
    fit = {"initial_std": 0.1, "gradient_decay": 0.0, "squared_gradient_decay": 0.999}
    one, three = small_problem(fit=fit), small_problem(fit=fit | {"segments_per_step": 3})
    phase = Phase(0, 1, 0.02)
    starts = segment_draws(three, phase)[0].tolist()
    assert len(set(starts)) == 3
    bank = console[1].to("cpu")
    leaves, renderer = bank.require_grad(), one.renderer(console[0])
    losses = [one.objective(renderer, bank, start, sparsity=0.0).total for start in starts]
    # One after the other: a tap's gradient is only a direction, so that of a sum is not the sum.
    slopes = [torch.autograd.grad(loss, leaves, allow_unused=True, materialize_grads=True) for loss in losses]
    _, reports, states = run(three, console[0], console[1], phase)
    assert reports[0].loss == pytest.approx(sum(loss.item() for loss in losses) / 3, rel=1e-6)
    for name, *gradients in zip(bank.flatten(), *slopes, strict=True):
        torch.testing.assert_close(states[0].tensors[f"{name}/exp_avg"], sum(gradients) / 3)


def test_segments_of_a_step_give_the_same_bits_on_one_thread_and_on_two(threads, console):
    problem = small_problem(fit={"initial_std": 0.1, "segments_per_step": 2})
    phase = Phase(0, 4, 0.02)
    found, reports, _ = run(problem, console[0], console[1], phase)
    torch.set_num_threads(1)
    alone, same, _ = run(problem, console[0], console[1], phase)
    assert reports == same
    assert_identical(found, alone)


def test_training_moves_every_parameter_of_every_processor(problem, console):
    trained, _, _ = run(problem, console[0], console[1], Phase(0, 2, 0.02))
    for name, tensor in trained.flatten().items():
        assert (tensor != console[1].flatten()[name]).any(-1).all(), name


def test_restart_forgets_the_moments_and_nothing_else(console):
    plain = small_problem(fit={"initial_std": 0.1})
    restarting = small_problem(fit={"initial_std": 0.1, "restart_steps": 3})
    phase = Phase(0, 7, 0.02)
    found, _, states = run(restarting, console[0], console[1], phase)
    steps = [{int(tensor) for name, tensor in state.tensors.items() if name.endswith("/step")} for state in states]
    assert steps == [{1}, {2}, {3}, {1}, {2}, {3}, {1}]
    assert_identical(found, run(restarting, console[0], console[1], phase)[0])
    without, _, _ = run(plain, console[0], console[1], phase)
    assert any(not torch.equal(tensor, without.flatten()[name]) for name, tensor in found.flatten().items())
    again = console[1].to("cpu")
    for first in (0, 3, 6):
        again = _up_to(plain, console[0], again, phase, first, first + 3)
    assert_identical(found, again)


def _up_to(problem, graph, bank, phase, first: int, last: int) -> ParameterBank:
    class Enough(Exception):
        pass

    def on_step(report, state) -> None:
        if report.step == last:
            raise Enough

    bank = bank.to("cpu")
    with contextlib.suppress(Enough):
        train(problem, graph, bank, phase, moments=Moments(first, {}), on_step=on_step)
    return bank.to("cpu")


@pytest.fixture
def rates(monkeypatch) -> list[float]:
    """The learning rate of every step, in order."""
    seen: list[float] = []
    step = Optimiser.step

    def watched(optimiser, gradients, learning_rate):
        seen.append(learning_rate)
        step(optimiser, gradients, learning_rate)

    monkeypatch.setattr(Optimiser, "step", watched)
    return seen


def test_one_cycle_rises_over_a_tenth_and_falls_to_a_hundredth(rates):
    problem = small_problem()
    graph = build_console(problem.song.tracks, {}, ["gain_panning"])
    run(problem, graph, initial_bank(problem, graph), Phase(0, 100, 0.05, "one_cycle"))
    assert len(rates) == 100
    assert rates[0] == pytest.approx(0.0005)
    assert rates[10] == max(rates) == pytest.approx(0.05)
    assert rates[:11] == sorted(rates[:11]) and rates[10:] == sorted(rates[10:], reverse=True)
    assert 0.0005 < rates[-1] < 0.00055
    assert rates[55] == pytest.approx((0.05 + 0.0005) / 2)


def test_trapezoid_rises_over_a_tenth_stays_and_falls_over_four_fifths_of_the_rest():
    rates = [Phase(0, 100, 0.05, "trapezoid").rate(step) for step in range(100)]
    assert rates[0] == pytest.approx(0.0005)
    assert rates[:11] == sorted(rates[:11]) and rates[9] < 0.05
    np.testing.assert_allclose(rates[10:29], 0.05)
    np.testing.assert_allclose(np.diff(rates[28:]), -0.0495 / 72)
    assert 0.0005 < rates[-1] < 0.002


def test_the_settings_know_all_schedules():
    assert get_args(FitConfig.model_fields["learning_rate_schedule"].annotation) == tuple(SCHEDULES)


def test_a_constant_rate_is_constant(rates):
    problem = small_problem()
    graph = build_console(problem.song.tracks, {}, ["gain_panning"])
    start = initial_bank(problem, graph)
    bank, _, _ = run(problem, graph, start, Phase(0, 1, 0.03))
    assert rates == [0.03]
    moved = (bank.tensors["gain_panning"]["log_gain"] - start.tensors["gain_panning"]["log_gain"]).abs()
    torch.testing.assert_close(moved, torch.full_like(moved, 0.03), rtol=1e-3, atol=0)


def test_sparsity_follows_its_ramp_over_all_rounds(problem, console):
    """The reported loss holds the ramped weight of this step: 4 steps up to 0.01, counted on from `sparsity_offset`."""
    sums = {}
    for offset in (None, 0, 2, 4):
        _, reports, _ = run(problem, console[0], console[1], Phase(0, 1, 1e-9, sparsity_offset=offset))
        sums[offset] = reports[0].loss
    weights = torch.tensor(list(console[1].dry_wet().values())).sum().item()
    assert sums[0] == sums[None]
    assert sums[2] - sums[0] == pytest.approx(0.005 * weights, rel=1e-3)
    assert sums[4] - sums[0] == pytest.approx(0.01 * weights, rel=1e-3)
    ramp = [sparsity_weight(step, problem.config.loss) for step in (0, 1, 4, 5, 1_000)]
    assert ramp == pytest.approx([0, 0.0025, 0.01, 0.01, 0.01])


def test_segments_are_the_same_for_a_seed_and_lie_within_the_song(monkeypatch, problem, console):
    seen: list[int] = []
    monkeypatch.setattr(type(problem.song), "mix_segment", _watch(type(problem.song).mix_segment, seen))
    for round_number, seed in ((0, 0), (0, 0), (1, 0), (0, 1)):
        one = small_problem(problem.song, seed=seed)
        graph = build_console(problem.song.tracks, {}, ["gain_panning"])
        run(one, graph, initial_bank(one, graph), Phase(round_number, 30, 0.01))
    first, same, other_round, other_seed = (seen[index : index + 30] for index in range(0, 120, 30))
    assert first == same
    assert len({tuple(first), tuple(other_round), tuple(other_seed)}) == 3
    last = problem.song.samples - problem.config.segment_samples
    assert min(seen) >= 0 and max(seen) <= last
    assert len(set(first)) > 25 and max(first) - min(first) > last / 2


def _watch(read, seen: list[int]):
    def reading(song, start, length):
        seen.append(start)
        return read(song, start, length)

    return reading


@pytest.mark.parametrize("draw", ["uniform", "golden_ratio"])
def test_segments_lie_in_the_song_and_golden_ones_cover_it_evenly(draw):
    problem = small_problem(fit={"segment_draw": draw}, seed=3)
    last = problem.song.samples - problem.config.segment_samples
    starts = segment_draws(problem, Phase(1, 200, 0.01)).ravel()
    assert starts.min() >= 0 and starts.max() <= last
    np.testing.assert_array_equal(starts, segment_draws(problem, Phase(1, 200, 0.01)).ravel())
    assert not np.array_equal(starts, segment_draws(problem, Phase(2, 200, 0.01)).ravel())
    # Of any 20 steps in a row, how many see each quarter of the places?
    quarters = np.stack([np.bincount(4 * starts[at : at + 20] // (last + 1), minlength=4) for at in range(180)])
    spread = np.abs(quarters - 5).max()
    assert spread <= 2 if draw == "golden_ratio" else spread > 2


def test_several_segments_a_step_are_drawn_one_after_the_other_or_lie_evenly_over_the_song():
    drawn = {
        (draw, count): segment_draws(
            small_problem(fit={"segment_draw": draw, "segments_per_step": count}, seed=3), Phase(1, 120 // count, 0.01)
        )
        for draw in ("uniform", "golden_ratio")
        for count in (1, 3)
    }
    np.testing.assert_array_equal(drawn["uniform", 3].ravel(), drawn["uniform", 1].ravel())
    problem = small_problem()
    places = problem.song.samples - problem.config.segment_samples + 1
    first, second, third = drawn["golden_ratio", 3].T
    np.testing.assert_array_equal(first, drawn["golden_ratio", 1][:40, 0])
    for later, thirds in ((second, 1), (third, 2)):
        np.testing.assert_allclose((later - first) % places, thirds * places / 3, atol=1)
