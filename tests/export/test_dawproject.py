"""The DAWproject is valid, its devices say what was fitted, and what is printed adds up to our mix."""

from __future__ import annotations

import io
import math
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]

from mixgraph.audio.song import Song
from mixgraph.console import build_console
from mixgraph.export.fits import fit_dynamics, fit_equalizer
from mixgraph.export.write import export_result
from mixgraph.result.result import Result
from tests.engine import RATE
from tests.report.sample import make_result


def opened(folder: Path) -> zipfile.ZipFile:
    (file,) = folder.glob("*.dawproject")
    return zipfile.ZipFile(file)


def project(folder: Path):
    return etree.fromstring(opened(folder).read("project.xml"))


def audio(folder: Path, name: str) -> np.ndarray:
    samples, rate = soundfile.read(io.BytesIO(opened(folder).read(name)))
    assert rate == RATE
    return samples.T


def test_it_is_valid(shared: Path, song: Song, result: Result, tmp_path: Path) -> None:
    export_result(result, "dawproject", tmp_path / "out", song=song)
    archive = opened(tmp_path / "out")
    for name, schema in (("project.xml", "Project.xsd"), ("metadata.xml", "MetaData.xsd")):
        etree.XMLSchema(file=str(shared / "schemas" / schema)).assertValid(etree.fromstring(archive.read(name)))
    assert archive.namelist()[0] == "project.xml" and archive.testzip() is None


def test_ids_and_files_are_there(song: Song, result: Result, tmp_path: Path) -> None:
    """What needs no schema at hand: references that lead somewhere."""
    export_result(result, "dawproject", tmp_path / "out", song=song)
    root, archive = project(tmp_path / "out"), opened(tmp_path / "out")
    ids = root.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert set(root.xpath("//@destination")) | set(root.xpath("//Lanes/@track")) <= set(ids)
    assert {*root.xpath("//File/@path"), "project.xml", "metadata.xml"} == set(archive.namelist())


def test_without_devices_the_audio_is_our_mix(song: Song, tmp_path: Path) -> None:
    graph = build_console(song.tracks, song.subgroups, ("equalizer", "reverb"))
    result = make_result(song, graph)
    fates = export_result(result, "dawproject", tmp_path / "out", song=song)
    assert {fate.kept for fate in fates} == {"printed"}
    mix = sum(audio(tmp_path / "out", path) for path in project(tmp_path / "out").xpath("//File/@path"))
    np.testing.assert_allclose(mix, result.render(song), atol=1e-5)


def test_faders_and_groups_alone_are_our_mix(song: Song, tmp_path: Path) -> None:
    result = make_result(song, build_console(song.tracks, song.subgroups, ("gain_panning",)))
    export_result(result, "dawproject", tmp_path / "out", song=song)
    root = project(tmp_path / "out")

    def value(channel, name: str) -> float:
        return float(channel.find(name).get("value"))

    def play(track) -> np.ndarray:
        (channel,) = track.findall("Channel")
        lanes = root.xpath(f"//Lanes[@track='{track.get('id')}']//File/@path")
        signal = sum((play(inner) for inner in track.findall("Track")), np.zeros((2, song.samples)))
        signal = signal + sum(audio(tmp_path / "out", path) for path in lanes)
        pan, volume = value(channel, "Pan"), value(channel, "Volume")
        return signal * volume * np.minimum(1, [[2 * (1 - pan)], [2 * pan]])

    tracks = [track for track in root.findall("Structure/Track") if track.get("name") != "Master"]
    assert [track.get("name") for track in tracks] == ["band", "voice"]
    np.testing.assert_allclose(sum(map(play, tracks)), result.render(song), atol=1e-5)


@pytest.mark.parametrize(("kind", "element"), [("compressor", "Compressor"), ("noise_gate", "NoiseGate")])
def test_dynamics_are_the_fit_in_the_units_of_the_format(kind: str, element: str, song: Song, tmp_path: Path) -> None:
    result = make_result(song, build_console(song.tracks, {}, (kind,)))
    export_result(result, "dawproject", tmp_path / "out", song=song)
    device = project(tmp_path / "out").xpath(f"//{element}[@name='track:bass/{kind}']")[0]
    said = {child.tag: (float(child.get("value")), child.get("unit")) for child in device}
    fit = fit_dynamics(result, f"track:bass/{kind}")
    assert said["Threshold"] == (pytest.approx(fit.curve.threshold_db + 10 * math.log10(2)), "decibel")
    assert said["Ratio"] == (pytest.approx(100 - 100 / fit.curve.ratio), "percent")
    assert said["Attack"] == (pytest.approx(fit.times.attack_ms / 1000), "seconds")
    assert said["Release"] == (pytest.approx(fit.times.release_ms / 1000), "seconds")


def test_equalisers_are_the_fit(song: Song, tmp_path: Path) -> None:
    result = make_result(song, build_console(song.tracks, {}, ("equalizer",)))
    fates = {fate.id: fate for fate in export_result(result, "dawproject", tmp_path / "out", song=song)}
    strip = fit_equalizer(result, "track:bass/equalizer")
    device = project(tmp_path / "out").xpath("//Equalizer[@name='track:bass/equalizer']")[0]
    found = [
        (band.get("type").lower(), *(float(band.find(name).get("value")) for name in ("Freq", "Gain", "Q")))
        for band in device.findall("Band")
    ]
    wanted = [(band.shape.replace("_", ""), band.hz, band.gain_db, band.q) for band in strip.bands]
    assert [one[0] for one in found] == [one[0] for one in wanted]
    np.testing.assert_allclose([one[1:] for one in found], [one[1:] for one in wanted], rtol=1e-6)
    assert float(device.find("OutputGain").get("value")) == pytest.approx(strip.level_db)
    assert fates["track:bass/equalizer"].error_db == pytest.approx(strip.residual_db)
