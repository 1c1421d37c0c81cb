"""The program runs, in a process of its own, and its mix is ours: exactly where all is linear."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mixgraph.audio.song import Song
from mixgraph.console import build_console
from mixgraph.export.base import Source
from mixgraph.export.compare import compare_export
from mixgraph.export.write import export_result
from mixgraph.result.result import Result
from tests.engine import RATE
from tests.report.sample import make_result, make_song


def run(folder: Path, song: Song, *flags: str) -> np.ndarray:
    """What `mix.py` makes of the song's tracks."""
    tracks = folder.parent / "tracks"
    tracks.mkdir(exist_ok=True)
    for name in song.tracks:
        soundfile.write(tracks / f"{name}.wav", song.track(name).T, RATE, "FLOAT")
    mix = folder.parent / "mix.wav"
    done = subprocess.run(
        [sys.executable, folder / "mix.py", tracks, mix, *flags], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    samples, rate = soundfile.read(mix)
    assert rate == RATE
    return samples.T


def difference_db(found: np.ndarray, wanted: np.ndarray) -> float:
    length = min(found.shape[1], wanted.shape[1])
    assert abs(found.shape[1] - wanted.shape[1]) <= 1
    return 10 * np.log10(np.square(found[:, :length] - wanted[:, :length]).sum() / np.square(wanted).sum())


def test_linear_graphs_are_exact(song: Song, linear: Result, tmp_path: Path) -> None:
    fates = export_result(linear, "pedalboard", tmp_path / "out")
    assert {fate.kept for fate in fates} == {"exact"}
    assert difference_db(run(tmp_path / "out", song), linear.render(song)) < -90


def test_the_command_compares_what_it_plays(song: Song, linear: Result, tmp_path: Path) -> None:
    export_result(linear, "pedalboard", tmp_path / "out")
    compared = compare_export(Source(linear, song), "pedalboard", tmp_path / "out")
    assert compared.difference_db < -90
    assert compared.loss < 0.01


def test_dynamics_come_near(song: Song, result: Result, linear: Result, tmp_path: Path) -> None:
    """Nearer, at least, than the same graph without them."""
    fates = export_result(result, "pedalboard", tmp_path / "out")
    assert {fate.type for fate in fates if fate.kept == "fitted"} == {"compressor", "noise_gate"}
    wanted = result.render(song)
    bypassed = Result(linear.graph, result.bank, result.config, {}, {}).render(song)
    assert difference_db(run(tmp_path / "out", song), wanted) < difference_db(bypassed, wanted) - 1


def test_bells_are_off_by_what_is_said(tmp_path: Path) -> None:
    """Noise through both: the level of their difference in thirds of an octave."""
    noise = np.random.default_rng(0).standard_normal((2, 8 * RATE)).astype(np.float32) * 0.1
    song = Song.from_arrays("noise", {"a": noise}, None, RATE)
    result = make_result(song, build_console(("a",), {}, ("equalizer",)))
    export_result(result, "pedalboard", tmp_path / "out")
    exact, bells = run(tmp_path / "out", song), run(tmp_path / "out", song, "--bells")
    spectra = [np.square(np.abs(np.fft.rfft(signal[0]))) for signal in (exact, bells)]
    hz = np.fft.rfftfreq(noise.shape[1], 1 / RATE)
    edges = 200 * 2.0 ** (np.arange(14) / 3)
    exact_db, bells_db = (
        [10 * np.log10(power[(hz >= low) & (hz < high)].sum()) for low, high in pairwise(edges)] for power in spectra
    )
    assert np.sqrt(np.mean(np.square(np.subtract(exact_db, bells_db)))) < 2


@pytest.mark.parametrize("title", ['a "b" \\ """', "x\ny"])
def test_no_title_breaks_the_program(title: str, tmp_path: Path) -> None:
    song = make_song(("it's",), seconds=1, name=title)
    result = make_result(song, build_console(song.tracks, {}, ("gain_panning",)))
    export_result(result, "pedalboard", tmp_path / "out")
    assert difference_db(run(tmp_path / "out", song), result.render(song)) < -90
