"""Impulse responses do what the processors do, at the result's rate and at others; stems add up."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile
import torch

from mixgraph.audio.song import Song
from mixgraph.console import build_console
from mixgraph.export.responses import Response, in_a_row, linear_runs, response_of
from mixgraph.export.write import export_result
from mixgraph.graph.strands import strands
from mixgraph.result.result import Result
from tests.engine import RATE
from tests.report.sample import make_result


def filtered(response: Response, signal: np.ndarray) -> np.ndarray:
    """By scipy: `(2, time)`."""
    whole = [
        sum(scipy.signal.fftconvolve(signal[source], response.taps[channel, source]) for source in (0, 1))
        for channel in (0, 1)
    ]
    return np.stack(whole)[:, response.origin : response.origin + signal.shape[1]]


def quiet_ends(samples: int) -> np.ndarray:
    """Noise that starts and ends in silence, so that no response is cut between two processors."""
    signal = np.random.default_rng(0).standard_normal((2, samples))
    signal[:, :200] = signal[:, -400:] = 0
    return signal


def test_a_response_is_its_processor(result: Result) -> None:
    signal, weights = quiet_ends(3_000), result.bank.dry_wet()
    for node in result.graph.processors:
        response = response_of(result, node.id)
        processor, parameters = result.processors[node.type], result.bank.select(node.type, [node.id])
        if response is None:
            assert node.type in ("compressor", "noise_gate")
            continue
        double = {name: value.double() for name, value in parameters.items()}
        wet = processor.process(torch.from_numpy(signal)[None], double)[0].numpy()
        expected = weights[node.id] * wet + (1 - weights[node.id]) * signal
        np.testing.assert_allclose(filtered(response, signal), expected, atol=1e-9)


def test_a_run_is_its_processors_in_a_row(song: Song) -> None:
    chain = ("equalizer", "stereo_imager", "gain_panning", "multitap_delay", "reverb")
    result = make_result(song, build_console(song.tracks, {}, chain))
    ids = [f"track:bass/{kind}" for kind in chain]
    signal = expected = quiet_ends(4_000)
    for id in ids:
        response = response_of(result, id)
        assert response is not None
        expected = filtered(response, expected)
    run = in_a_row(result, ids)
    np.testing.assert_allclose(filtered(run, signal), expected, atol=1e-9)
    assert not run.is_diagonal and in_a_row(result, ids[2:]).is_diagonal and in_a_row(result, ids[1:3]).is_memoryless
    np.testing.assert_allclose(filtered(run.shortened(), signal), expected, atol=1e-5)


@pytest.mark.parametrize("wanted", [2 * RATE, 3 * RATE // 2, 48_000, 44_100])
def test_another_rate_is_the_same_filter(result: Result, wanted: int) -> None:
    response = in_a_row(result, ["subgroup:band/equalizer", "subgroup:band/reverb"])
    other = response.resampled(RATE, wanted)
    hz = np.linspace(20, 0.45 * RATE, 500)

    def spectrum(taps: np.ndarray, origin: int, rate: int) -> np.ndarray:
        place = (np.arange(len(taps)) - origin) / rate
        return np.exp(-2j * np.pi * hz[:, None] * place) @ taps

    for channel in (0, 1):
        old = spectrum(response.taps[channel, channel], response.origin, RATE)
        new = spectrum(other.taps[channel, channel], other.origin, wanted)
        np.testing.assert_allclose(new, old, atol=2e-3 * np.abs(old).max())


def test_files_hold_every_linear_run(result: Result, tmp_path: Path) -> None:
    fates = export_result(result, "impulse-responses", tmp_path / "out")
    index = json.loads((tmp_path / "out" / "responses.json").read_text())
    named = [id for entry in index["responses"] for id in entry["processors"]]
    linear = [id for row in strands(result.graph) for run in linear_runs(result, row.processors) for id in run]
    assert named == [id for id in linear if response_of(result, id)]
    assert {fate.id for fate in fates if fate.kept == "exact"} == set(named)
    for entry in index["responses"]:
        samples, rate = soundfile.read(tmp_path / "out" / entry["file"], always_2d=True)
        response = in_a_row(result, entry["processors"]).shortened()
        assert rate == RATE and samples.shape == (response.taps.shape[-1], len(entry["channels"]))
        np.testing.assert_allclose(samples[:, 0], response.taps[0, 0], atol=1e-6)
        np.testing.assert_allclose(samples[:, -1], response.taps[1, 1], atol=1e-6)
        if len(entry["channels"]) == 4:  # left to right stands second, right to left third
            np.testing.assert_allclose(samples[:, 1], response.taps[1, 0], atol=1e-6)
            np.testing.assert_allclose(samples[:, 2], response.taps[0, 1], atol=1e-6)


def test_stems_add_up(song: Song, result: Result, tmp_path: Path) -> None:
    export_result(result, "stems", tmp_path / "out", song=song)
    read = {path.stem: soundfile.read(path)[0].T for path in (tmp_path / "out").rglob("*.wav")}
    assert set(read) == {"mix", "band", "bass", "drums", "voice"}
    np.testing.assert_allclose(read["mix"], result.render(song), atol=1e-5)
    groups = [soundfile.read(path)[0].T for path in (tmp_path / "out" / "subgroups").iterdir()]
    np.testing.assert_allclose(sum(groups), read["mix"], atol=1e-5)
