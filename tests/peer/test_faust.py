"""The Faust program, compiled and run by DawDreamer, gives our mix: every processor, at any length."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from mixgraph.audio.song import Song
from mixgraph.console import build_console
from mixgraph.export.base import Source
from mixgraph.export.compare import compare_export
from mixgraph.export.faust_program.blocks import frame_of
from mixgraph.export.write import export_result
from mixgraph.result.result import Result
from tests.engine import RATE
from tests.report.sample import make_result, make_song

pytestmark = pytest.mark.peer
LINEAR_DB, DYNAMIC_DB = -100, -80
KINDS = ("equalizer", "compressor", "noise_gate", "stereo_imager", "gain_panning", "multitap_delay", "reverb")


@pytest.fixture(autouse=True)
def dawdreamer() -> None:
    pytest.importorskip("dawdreamer")


def faded_song(seconds: float) -> Song:
    """From silence to silence: what lies outside of a song we cut between processors, Faust does not."""
    song = make_song(seconds=seconds)
    window = np.ones(song.samples, np.float32)
    window[: RATE // 2], window[-RATE // 2 :] = 0, 0
    return Song.from_arrays("faded", {name: window * song.track(name) for name in song.tracks}, None, RATE)


def difference_db(result: Result, song: Song, folder: Path) -> float:
    fates = export_result(result, "faust", folder)
    assert {fate.kept for fate in fates} == {"exact"}
    return compare_export(Source(result, song), "faust", folder).difference_db


@pytest.mark.parametrize("kind", KINDS)
def test_each_processor_is_exact(kind: str, tmp_path: Path) -> None:
    song = faded_song(3)
    result = make_result(song, build_console(song.tracks, {}, (kind,)))
    limit = DYNAMIC_DB if kind in ("compressor", "noise_gate") else LINEAR_DB
    assert difference_db(result, song, tmp_path / "out") < limit


def test_ways_of_different_latency_stay_in_time(tmp_path: Path) -> None:
    song = faded_song(3)
    graph = build_console(song.tracks, {"band": ["bass", "drums"]}, KINDS)
    kept = {f"track:bass/{kind}" for kind in KINDS} | {f"subgroup:band/{kind}" for kind in KINDS[::2]}
    kept |= {"track:voice/compressor"}
    result = make_result(song, graph.without([node.id for node in graph.processors if node.id not in kept]))
    assert difference_db(result, song, tmp_path / "out") < DYNAMIC_DB


@pytest.mark.parametrize("seconds", [0.05, 0.2, 2.0])
def test_responses_of_many_lengths_are_convolved(seconds: float, tmp_path: Path) -> None:
    rng, samples = np.random.default_rng(0), 3 * RATE
    clicks = np.zeros((2, samples), np.float32)
    clicks[:, rng.choice(samples // 2, 50)] = rng.standard_normal((2, 50))
    song = Song.from_arrays("clicks", {"a": clicks}, None, RATE)
    made = make_result(song, build_console(("a",), {}, ("reverb",)))
    processors = made.config.processors.model_copy(update={"reverb_seconds": seconds})
    config = made.config.model_copy(update={"processors": processors})
    made.bank.tensors["reverb"]["decay_log_magnitude"] = torch.full_like(
        made.bank.tensors["reverb"]["decay_log_magnitude"], -4.0
    )
    result = Result(made.graph, made.bank, config, made.metrics, made.provenance)
    assert difference_db(result, song, tmp_path / "out") < LINEAR_DB


def test_frames_are_powers_of_two_that_grow_with_the_response() -> None:
    frames = [frame_of(taps) for taps in (1, 39, 2047, 60_000, 10**7)]
    assert frames == sorted(frames)
    assert all(frame & (frame - 1) == 0 and 16 <= frame <= 4096 for frame in frames)
