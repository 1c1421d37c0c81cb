"""The Faust program, compiled and run by DawDreamer, gives our mix: exactly where no response is too long for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import torch

from mixgraph.audio.song import Song
from mixgraph.console import build_console
from mixgraph.dsp.bells import Band
from mixgraph.export.faust import biquad
from mixgraph.export.write import export_result
from mixgraph.result.result import Result
from tests.engine import RATE
from tests.report.sample import SUBGROUPS, make_result, make_song

pytestmark = pytest.mark.peer


def play(folder: Path, song: Song, result: Result) -> np.ndarray:
    dawdreamer = pytest.importorskip("dawdreamer")
    (file,) = folder.glob("*.dsp")
    program = file.read_text()
    latency = int(program.partition('latency_samples "')[2].partition('"')[0])
    engine = dawdreamer.RenderEngine(RATE, 512)
    tracks = np.concatenate([song.track(name) for name in result.tracks])
    source = engine.make_playback_processor("tracks", np.pad(tracks, ((0, 0), (0, latency))))
    faust = engine.make_faust_processor("graph")
    assert faust.set_dsp_string(program) and faust.compile()
    engine.load_graph([(source, []), (faust, ["tracks"])])
    engine.render((song.samples + latency + 512) / RATE)
    return engine.get_audio()[:2, latency : latency + song.samples]


def difference_db(found: np.ndarray, wanted: np.ndarray) -> float:
    return 10 * np.log10(np.square(found - wanted).sum() / np.square(wanted).sum())


def test_short_responses_and_dynamics_are_exact(tmp_path: Path) -> None:
    song = make_song(subgroups=SUBGROUPS, seconds=2)
    kinds = ("equalizer", "compressor", "noise_gate", "stereo_imager", "gain_panning", "multitap_delay")
    graph = build_console(song.tracks, song.subgroups, kinds)
    kept = {f"track:bass/{kind}" for kind in kinds[:3]} | {f"subgroup:band/{kind}" for kind in kinds[1:5]}
    kept |= {"track:voice/multitap_delay", "track:voice/noise_gate"}
    result = make_result(song, graph.without([node.id for node in graph.processors if node.id not in kept]))
    fates = export_result(result, "faust", tmp_path / "out")
    assert {fate.kept for fate in fates} == {"exact"}
    assert difference_db(play(tmp_path / "out", song, result), result.render(song)) < -80


def test_long_equalisers_are_bells_and_long_reverbs_are_left_out(tmp_path: Path) -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal((2, 4 * RATE)).astype(np.float32)
    song = Song.from_arrays("noise", {"a": noise}, None, RATE)
    result = make_result(song, build_console(("a",), {"g": ["a"]}, ("equalizer", "reverb")))
    sizes = {"equalizer_bins": 256, "reverb_seconds": 0.5}
    processors = result.config.processors.model_copy(update=sizes)
    config = result.config.model_copy(update={"processors": processors})
    bank = result.bank
    bank.tensors["equalizer"]["log_magnitude"] = 0.6 * torch.sin(torch.arange(256) / 40).repeat(2, 1)
    result = Result(result.graph, bank, config, result.metrics, result.provenance)
    fates = {fate.id: fate for fate in export_result(result, "faust", tmp_path / "out")}
    assert {fate.type: fate.kept for fate in fates.values()} == {"equalizer": "fitted", "reverb": "left out"}
    played = play(tmp_path / "out", song, result)
    dry = np.prod([1 - weight for id, weight in bank.dry_wet().items() if id.endswith("reverb")])
    without = Result(result.graph.without(result.graph.ids_of("reverb")), bank, config, {}, {}).render(song) * dry
    hz, (found, wanted) = (
        np.fft.rfftfreq(4 * RATE, 1 / RATE),
        (np.square(np.abs(np.fft.rfft(signal[0]))) for signal in (played, without)),
    )
    for low in 100 * 2.0 ** np.arange(5):
        inside = (hz >= low) & (hz < 2 * low)
        assert abs(10 * np.log10(found[inside].sum() / wanted[inside].sum())) < 2


@pytest.mark.parametrize("shape", ["bell", "low_shelf", "high_shelf"])
def test_biquads_are_the_bands_below_a_quarter_of_the_rate(shape) -> None:
    band = Band(shape, 300.0, 6.0, 0.5**0.5)
    b0, b1, b2, a1, a2 = biquad(band, 48_000)
    hz = np.geomspace(30, 6_000, 50)
    ahead, back = np.array([b0, b1, b2]), np.array([1, a1, a2])
    _, response = scipy.signal.freqz(ahead, back, worN=hz, fs=48_000)  # pyright: ignore[reportArgumentType]
    np.testing.assert_allclose(20 * np.log10(np.abs(response)), band.curve_db(hz), atol=0.05)
