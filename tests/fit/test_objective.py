"""The training loss and the evaluation against sums computed by hand with the plain renderer."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mixgraph.audio.song import Song
from mixgraph.console import build_console
from mixgraph.errors import SongError
from mixgraph.fit.evaluate import criterion, evaluate, evaluation_starts, segment_starts, trial_starts
from mixgraph.loss.mix_loss import Convergence
from mixgraph.render.reference import ReferenceRenderer
from tests.engine import RATE, random_bank, small_problem, small_song
from tests.strategies import CHAIN

LETTERS = dict(zip("ecnsgdr", CHAIN, strict=True))


def console_and_bank(problem):
    graph = build_console(problem.song.tracks, {"band": problem.song.tracks[:2]}, CHAIN)
    return graph, random_bank(graph, problem.processors, std=0.1, dtype=torch.float32)


def level(signal: torch.Tensor, kind: str) -> float:
    """Mean square of the mid channel, or over both channels."""
    return float((signal.sum(0) if kind == "mid" else signal).double().square().mean())


@pytest.mark.parametrize("types", ["edr", "er", "", "cn"])
@pytest.mark.parametrize("signal", ["mid", "stereo"])
def test_the_objective_is_the_weighted_sum_of_its_parts(types, signal):
    weights = {"gain_staging_weight": 0.03, "radius_weight": 0.7}
    loss = {"gain_staging_types": types, "gain_staging_signal": signal, "convergence": "published", **weights}
    # Fused processors would count their tails, which is tested with the renderers.
    problem = small_problem(loss=loss, render={"fuse_linear": False})
    graph, bank = console_and_bank(problem)
    sparsity, start = 0.02, 777
    found = problem.objective(problem.renderer(graph), bank, start, sparsity=sparsity)

    plain = ReferenceRenderer(graph, problem.processors, problem.song.tracks)
    tracks = dict(zip(problem.song.tracks, problem.sources(start), strict=True))
    signals = plain.node_outputs(tracks.__getitem__, bank, [node.id for node in graph.nodes])
    dry_wet = bank.dry_wet()
    staging = 0.0
    for letter in types:
        for node in graph.ids_of(LETTERS[letter]):
            dry = torch.stack([signals[before] for before in graph.predecessors(node)]).sum(0)
            wet = (signals[node] - (1 - dry_wet[node]) * dry) / dry_wet[node]
            staging += abs(math.log(level(wet, signal) + 1e-7) - math.log(level(dry, signal) + 1e-7))
    taps = bank.tensors["multitap_delay"]["tap"]
    radius = (1 - torch.tanh(torch.linalg.vector_norm(taps, dim=-1))).square().sum().item()
    mix = torch.from_numpy(problem.song.mix_segment(start, problem.config.segment_samples))
    estimate, target = problem.mix_loss.features(signals["out"]), problem.mix_loss.features(mix)
    audio = problem.mix_loss.compare(estimate=estimate, target=target, convergence="published").total.item()
    by_hand = audio + 0.03 * staging + 0.7 * radius + sparsity * sum(dry_wet.values())
    assert found.audio.total.item() == pytest.approx(audio, rel=1e-5)
    assert found.total.item() == pytest.approx(by_hand, rel=1e-5)
    assert (staging > 0.1) == bool(types) and radius > 0.1


def test_evaluation_is_the_mean_over_its_segments_in_both_conventions():
    problem = small_problem(small_song(gains=[[1, 0.5], [0.7, 1], [0.2, 0.9]], samples=7_777))
    graph, bank = console_and_bank(problem)
    starts = evaluation_starts(problem)
    assert starts == (0, 1_600, 3_200, 4_800, 5_777)
    plain = ReferenceRenderer(graph, problem.processors, problem.song.tracks)
    by_hand: dict[Convergence, list[list[float]]] = {"target": [], "published": []}
    for start in starts:
        estimate = problem.mix_loss.features(plain.render(problem.sources(start), bank).output)
        mix = problem.mix_loss.features(torch.from_numpy(problem.song.mix_segment(start, 2_000)))
        for convention, rows in by_hand.items():
            terms = problem.mix_loss.compare(estimate=estimate, target=mix, convergence=convention)
            rows.append([terms.total.item(), terms.left_right.item(), terms.mid.item(), terms.side.item()])
    found = evaluate(problem, graph, bank, starts)
    for convention, rows in by_hand.items():
        loss = getattr(found, convention)
        wanted = np.mean(rows, axis=0)
        np.testing.assert_allclose([loss.total, loss.left_right, loss.mid, loss.side], wanted, rtol=1e-4)
    document = found.to_json()
    assert document["target"] == found.target.total and document["published"] == found.published.total
    assert document["channels"]["side"] == {"target": found.target.side, "published": found.published.side}
    assert evaluate(problem, graph, bank, starts) == found, "cached targets change nothing"
    assert evaluate(problem, graph, bank, starts[:1]) != found
    assert criterion(problem, found) == found.target.total
    assert criterion(small_problem(loss={"convergence": "published"}), found) == found.published.total


@settings(max_examples=300, deadline=None)
@given(samples=st.integers(1, 5_000), segment=st.integers(1, 900), share=st.floats(0.01, 1))
def test_segments_cover_the_song_and_end_with_it(samples, segment, share):
    hop = max(1, round(share * segment))
    starts = segment_starts(samples, segment, hop)
    assert starts[0] == 0 and starts[-1] == max(samples - segment, 0)
    gaps = [after - before for before, after in itertools.pairwise(starts)]
    assert all(0 < gap <= hop for gap in gaps) and all(gap == hop for gap in gaps[:-1])


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 6])
def test_trials_hear_every_track_and_spread_over_the_rest(count):
    """Five segments; the second track plays in the fourth alone, the third in the second and, softly, in the fourth."""
    tracks = {name: np.zeros(8_400, np.float32) for name in ("all", "once", "twice")}
    tracks["all"][:] = 0.1
    tracks["once"][5_300:6_300] = 0.5
    tracks["twice"][2_100:3_000] = 0.4
    tracks["twice"][5_300:6_300] = 0.1
    song = Song.from_arrays("sparse", tracks, tracks["all"], RATE)
    problem = small_problem(song, prune={"trial_segments": count})
    assert evaluation_starts(problem) == (0, 1_600, 3_200, 4_800, 6_400)
    wanted = {1: (4_800,), 2: (1_600, 4_800), 3: (0, 1_600, 4_800)}
    assert trial_starts(problem) == wanted.get(count, evaluation_starts(problem))


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 15])
def test_trials_of_an_even_song_are_spread_over_it(count):
    """Farthest first: no segment is farther from its nearest chosen one than the chosen ones are from each other."""
    even = np.full(30_000, 0.5, np.float32)
    problem = small_problem(Song.from_arrays("even", {"a": even}, even, RATE), prune={"trial_segments": count})
    starts = evaluation_starts(problem)
    chosen = [starts.index(start) for start in trial_starts(problem)]
    assert len(chosen) == count
    apart = min((after - before for before, after in itertools.pairwise(chosen)), default=len(starts))
    assert all(min(abs(index - other) for other in chosen) <= apart for index in range(len(starts)))


def test_a_song_shorter_than_a_segment_is_refused():
    with pytest.raises(SongError, match=r"small.*segment"):
        small_problem(small_song(samples=1_999))
    small_problem(small_song(samples=2_000))
