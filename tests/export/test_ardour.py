"""Ardour sessions: sound as files, and, where Ardour is installed, as sound."""

from __future__ import annotations

import shutil
import xml.etree.ElementTree as ET
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from mixgraph.audio.files import write_audio
from mixgraph.audio.song import Song
from mixgraph.console import build_console
from mixgraph.errors import ConfigError, ResultError
from mixgraph.export.ardour import session_rate
from mixgraph.export.ardour_session.plugins import convolver
from mixgraph.export.ardour_session.render import PROGRAM, render_session
from mixgraph.export.ardour_session.session import Strip, session_xml
from mixgraph.export.base import Source
from mixgraph.export.compare import compare_export
from mixgraph.export.responses import Response, in_a_row, write_response
from mixgraph.export.write import export_result
from mixgraph.graph.graph import Graph
from mixgraph.result.result import Result
from tests.engine import RATE
from tests.export.test_responses import filtered
from tests.report.sample import make_result

needs_ardour = pytest.mark.skipif(shutil.which(PROGRAM) is None, reason=f"needs {PROGRAM} (Debian: apt install ardour)")


def routes(folder: Path) -> dict[str, ET.Element]:
    (session,) = folder.glob("*.ardour")
    return {route.attrib["name"]: route for route in ET.parse(session).getroot().iter("Route")}


def scripts(route: ET.Element) -> dict[str, str]:
    return {
        plugin.attrib["name"]: b64decode(plugin.findtext("luaproc/script") or "").decode()
        for plugin in route.iter("Processor")
        if plugin.attrib["type"] == "luaproc"
    }


def attribute(route: ET.Element, place: str) -> str:
    """The value of the first control at a place."""
    found = route.find(place)
    assert found is not None, place
    return found.attrib["value"]


@pytest.fixture(scope="module")
def session(song: Song, result: Result, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ardour") / "out"
    export_result(result, "ardour", folder, song=song)
    return folder


def test_tracks_and_subgroups_are_strips(session: Path, song: Song) -> None:
    found = routes(session)
    assert list(found) == ["Master", "bass", "drums", "voice", "band", "voice_2"]
    fed = {
        name: {end.attrib["other"].split("/")[0] for end in route.iterfind("IO[@direction='Output']/Port/Connection")}
        for name, route in found.items()
    }
    assert fed == {
        "Master": {"system:playback_1", "system:playback_2"},
        "bass": {"band"},
        "drums": {"band"},
        "voice": {"voice_2"},
        "band": {"Master"},
        "voice_2": {"Master"},
    }
    (audio,) = (session / "interchange").glob("*/audiofiles")
    assert {path.stem for path in audio.iterdir()} == set(song.tracks)
    read, rate = soundfile.read(audio / "bass.wav")
    assert rate == 48_000 and len(read) == song.samples * 48_000 // RATE


def test_numbers_are_unique_and_files_are_there(session: Path) -> None:
    (file,) = session.glob("*.ardour")
    root = ET.parse(file).getroot()
    ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib and element.tag != "Port"]
    assert len(ids) == len(set(ids)) and max(map(int, ids)) < int(root.attrib["id-counter"])
    responses = {path.name for path in (session / "impulse-responses").iterdir()}
    named = {
        line.split("impulse-responses/")[1].rstrip('"')
        for route in routes(session).values()
        for script in scripts(route).values()
        for line in script.splitlines()
        if "impulse-responses/" in line
    }
    assert named == responses and len(responses) == 5


def test_plugins_stand_in_the_order_of_the_graph(session: Path) -> None:
    assert list(scripts(routes(session)["bass"])) == ["Equalizer", "Compressor", "Gain panning"]
    assert list(scripts(routes(session)["drums"])) == ["Noise gate", "Stereo imager", "Multitap delay"]


def test_last_gains_are_fader_and_balance(song: Song, tmp_path: Path) -> None:
    chain = ("gain_panning", "reverb")
    result = make_result(song, build_console(song.tracks, {}, chain))
    gains = torch.tensor([[0.3, -0.9], [-1.5, -0.2], [0.1, 0.1]])
    result.bank.tensors["gain_panning"]["log_gain"][:3] = gains  # of the tracks; those of the subgroups are too loud
    fates = export_result(result, "ardour", tmp_path / "out", song=song)
    found = routes(tmp_path / "out")
    for track in song.tracks:
        assert list(scripts(found[track])) == ["Reverb"]
        fader = float(attribute(found[track], "Processor/Controllable[@name='gaincontrol']"))
        azimuth = float(attribute(found[track], "Pannable/Controllable[@name='pan-azimuth']"))
        left, right = fader * min(1, 2 - 2 * azimuth), fader * min(1, 2 * azimuth)  # Ardour's stereo balance
        expected = in_a_row(result, [f"track:{track}/gain_panning"]).taps[[0, 1], [0, 1], 0]
        np.testing.assert_allclose([left, right], expected, rtol=1e-6)
    how = {fate.id: fate.how for fate in fates}
    assert all("fader" in how[f"track:{track}/gain_panning"] for track in song.tracks)


def test_a_gain_that_no_fader_reaches_is_a_plugin(song: Song, tmp_path: Path) -> None:
    result = make_result(song, build_console(song.tracks, {}, ("gain_panning",)))
    result.bank.tensors["gain_panning"]["log_gain"].fill_(5.0)
    export_result(result, "ardour", tmp_path / "out", song=song)
    bass = routes(tmp_path / "out")["bass"]
    wet = result.bank.dry_wet()["track:bass/gain_panning"]
    knob = float(attribute(bass, "Processor/Controllable[@name='Left']"))
    assert knob == pytest.approx(20 * np.log10(1 - wet + wet * np.exp(5)))
    assert float(attribute(bass, "Processor/Controllable[@name='gaincontrol']")) == 1
    assert f"max = {knob}" in scripts(bass)["Gain panning"]


def test_knobs_of_compressors_are_the_results(session: Path, result: Result) -> None:
    values = result.physical()["track:bass/compressor"]
    for name, key in (("Threshold", "threshold_db"), ("Ratio", "ratio"), ("Time constant", "smoothing_ms")):
        knob = float(attribute(routes(session)["bass"], f"Processor/Controllable[@name='{name}']"))
        assert knob == pytest.approx(float(values[key]), rel=1e-6)


@pytest.mark.parametrize(("rate", "wanted"), [(30_000, 48_000), (44_100, 44_100), (46_000, 48_000), (50_000, 88_200)])
def test_sessions_hold_what_the_result_heard(rate: int, wanted: int) -> None:
    assert session_rate(rate) == wanted


def test_a_double_edge_is_refused(song: Song, tmp_path: Path) -> None:
    graph = build_console(song.tracks, {}, ())
    double = make_result(song, Graph(graph.nodes, (*graph.edges, graph.edges[0])))
    with pytest.raises(ResultError, match="feeds another one twice"):
        export_result(double, "ardour", tmp_path / "out", song=song)
    assert not list(tmp_path.iterdir())


def test_only_what_is_rendered_elsewhere_is_compared(song: Song, result: Result, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no program that renders it here; to be compared are .*ardour"):
        compare_export(Source(result, song), "stems", tmp_path)


def test_a_missing_ardour_is_named(session: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="apt install ardour"):
        render_session(session)


@pytest.mark.ardour
@needs_ardour
def test_ardour_renders_linear_graphs_as_we_do(song: Song, linear: Result, tmp_path: Path) -> None:
    export_result(linear, "ardour", tmp_path / "out", song=song)
    compared = compare_export(Source(linear, song), "ardour", tmp_path / "out")
    assert compared.difference_db < -60 and compared.loss < 0.01


def test_the_error_of_dynamics_at_another_rate_is_measured(song: Song, result: Result, tmp_path: Path) -> None:
    fast = make_result(song, result.graph)  # time constants of a sample or two
    errors = {}
    for name, made in (("slow", result), ("fast", fast)):
        fates = export_result(made, "ardour", tmp_path / name, song=song)
        errors[name] = [fate.error_db for fate in fates if fate.error_db is not None]
    assert len(errors["slow"]) == len(errors["fast"]) == 3
    assert max(errors["slow"]) < 0.05 < 0.1 < max(errors["fast"])


@pytest.mark.ardour
@needs_ardour
def test_ardour_renders_dynamics_as_we_do(session: Path, song: Song, result: Result) -> None:
    compared = compare_export(Source(result, song), "ardour", session)
    assert compared.difference_db < -50 and compared.loss < 0.02


@pytest.mark.ardour
@needs_ardour
def test_without_resampling_nothing_but_rounding_is_left(tmp_path: Path) -> None:
    rate, rng = 44_100, np.random.default_rng(5)
    response = Response(0.02 * rng.standard_normal((2, 2, 3_000)), origin=700)  # all four ways differ
    signal = np.zeros((2, 2 * rate), np.float32)
    signal[:, 2_000:-4_000] = 0.1 * rng.standard_normal((2, 2 * rate - 6_000))
    for name in ("impulse-responses", "interchange/test/audiofiles"):
        (tmp_path / name).mkdir(parents=True)
    write_audio(tmp_path / "interchange/test/audiofiles/one.wav", signal, rate)
    write_response(tmp_path / "impulse-responses/r.wav", response, rate)
    plugins = (convolver("Test", "noise", "impulse-responses/r.wav", response.origin),)
    bus = Strip("bus", plugins=plugins, feeds=("Master",))
    strips = [Strip("Master"), Strip("one", True, plugins, 0.7, 0.2, ("bus",)), bus]
    (tmp_path / "test.ardour").write_text(session_xml("test", rate, signal.shape[1], strips))
    found, found_rate = render_session(tmp_path)
    assert found_rate == rate and found.shape == signal.shape
    expected = filtered(response, np.array([[0.7], [0.7 * 0.4]]) * filtered(response, signal))
    assert np.abs(found - expected).max() < 1e-5 * np.abs(expected).max()
