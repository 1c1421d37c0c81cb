"""Starts: random as published, or gains that already are the least-squares mix."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import nnls

from mixgraph.audio.song import Song
from mixgraph.console import build_console
from mixgraph.fit.start import initial_bank, least_squares_gains
from tests.engine import RATE, noise, small_problem, small_song
from tests.strategies import CHAIN

GAINS = [[0.5, 0.25], [1.5, 0.0], [0.2, 0.9]]


@pytest.mark.parametrize("block", [1 << 18, 1_000, 999])
def test_known_gains_are_found(block):
    found = least_squares_gains(small_song(gains=GAINS), block=block)
    np.testing.assert_allclose(found, GAINS, atol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_the_gains_are_those_of_non_negative_least_squares(seed):
    """Against scipy on the samples themselves, where some gains would be negative if they could."""
    rng = np.random.default_rng(seed)
    tracks = rng.normal(size=(4, 2, 500)).astype(np.float32)
    tracks[1] += tracks[0]
    mix = rng.normal(size=(2, 500)).astype(np.float32) + 0.3 * tracks[2] - 0.4 * tracks[3]
    song = Song.from_arrays("noise", dict(zip("abcd", tracks, strict=True)), mix, RATE)
    wanted = [nnls(tracks[:, channel].T.astype(np.float64), mix[channel].astype(np.float64))[0] for channel in (0, 1)]
    found = least_squares_gains(song, block=123)
    assert (found >= 0).all() and (found == 0).any()
    np.testing.assert_allclose(found, np.stack(wanted, 1), atol=1e-6)


def test_silent_and_repeated_tracks_do_no_harm():
    tracks = noise(2, 2, 3_000, dtype=torch.float32).numpy()
    silent = np.zeros((2, 3_000), np.float32)
    one_sided = tracks[1] * np.array([[1], [0]], np.float32)
    named = {"a": tracks[0], "silent": silent, "again": tracks[0], "left": one_sided}
    song = Song.from_arrays("odd", named, 0.8 * tracks[0] + 0.5 * one_sided, RATE)
    found = least_squares_gains(song)
    assert np.isfinite(found).all() and (found >= 0).all()
    np.testing.assert_allclose(found[1], 0, atol=1e-9)
    np.testing.assert_allclose(found[0] + found[2], 0.8, atol=1e-4)
    np.testing.assert_allclose(found[3], [0.5, 0], atol=1e-4)


def test_the_least_squares_start_renders_the_least_squares_mix():
    gains = [[0.5, 0.25], [1.5, 1.0], [0.2, 0.9]]
    problem = small_problem(small_song(gains=gains), fit={"start": "least_squares", "initial_std": 0.0})
    graph = build_console(problem.song.tracks, {"band": problem.song.tracks[:2]}, ["gain_panning"])
    rendered = problem.renderer(graph).render(problem.sources(100), initial_bank(problem, graph)).output
    wanted = torch.from_numpy(problem.song.mix_segment(100, problem.config.segment_samples))
    torch.testing.assert_close(rendered, wanted, rtol=0, atol=1e-5)


@pytest.mark.parametrize("start", ["published", "least_squares"])
def test_a_start_depends_on_the_seed_alone(start):
    problem = small_problem(fit={"start": start})
    graph = build_console(problem.song.tracks, {}, CHAIN)
    problems = [small_problem(problem.song, fit={"start": start}, seed=seed) for seed in (0, 0, 1)]
    one, same, other = (initial_bank(problem, graph).flatten() for problem in problems)
    assert all(torch.equal(tensor, same[name]) for name, tensor in one.items())
    assert not all(torch.equal(tensor, other[name]) for name, tensor in one.items())


def test_the_published_start_is_small_noise_at_half_wet():
    problem = small_problem(fit={"initial_std": 0.05})
    graph = build_console(problem.song.tracks, {}, CHAIN)
    bank = initial_bank(problem, graph)
    assert set(bank.dry_wet().values()) == {0.5}
    assert set(bank.ids) == set(CHAIN)
    values = torch.cat([tensor.flatten() for name, tensor in bank.flatten().items() if not name.endswith("logit")])
    assert values.std().item() == pytest.approx(0.05, rel=0.1)
    assert abs(values.mean().item()) < 0.005


def test_the_least_squares_start_of_a_full_console_is_nearer_than_the_published_one():
    song, losses = small_song(gains=[[0.5, 0.25], [1.5, 1.0], [0.2, 0.9]]), {}
    for start in ("published", "least_squares"):
        problem = small_problem(song, fit={"start": start})
        graph = build_console(song.tracks, {}, CHAIN)
        objective = problem.objective(problem.renderer(graph), initial_bank(problem, graph), 0, sparsity=0.0)
        losses[start] = objective.audio.total.item()
    assert losses["least_squares"] < losses["published"]
