"""Figures of single processors: drawn curves are what the processors do, checked against their own maths."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from mixgraph.audio.song import Song
from mixgraph.cli import main
from mixgraph.draw.processor import processor_figure
from mixgraph.errors import ResultError
from mixgraph.processors.base import ConvolutionProcessor
from mixgraph.result.result import Result
from tests.cli.tiny import search, write_song
from tests.report.sample import KEPT, make_result, make_song


@pytest.fixture(scope="module")
def song() -> Song:
    return make_song(subgroups={"band": ("bass", "drums")})


@pytest.fixture(scope="module")
def result(song: Song) -> Result:
    """Every type of processor."""
    return make_result(song)


def curves(result: Result, node: str, song: Song | None = None) -> dict[str, np.ndarray]:
    """Of the first chart, by their names in the legend."""
    (ax, *_) = processor_figure(result, node, song).axes
    return {str(line.get_label()): np.asarray(line.get_xydata()) for line in ax.lines}


@pytest.mark.parametrize("node", KEPT)
def test_every_type_has_a_figure_with_and_without_its_song(result: Result, song: Song, node: str) -> None:
    for heard in (None, song):
        figure = processor_figure(result, node, heard)
        assert figure.axes and all(ax.lines or ax.collections for ax in figure.axes)
        assert node.partition("/")[0].partition(":")[2] in figure.get_suptitle()


def test_a_compressor_has_its_static_curve_and_what_it_hears(result: Result, song: Song) -> None:
    node = "track:bass/compressor"
    physical, wet = result.physical()[node], result.bank.dry_wet()[node]
    level_in, level_out = curves(result, node)["level out"].T
    threshold, ratio = float(physical["threshold_db"]), float(physical["ratio"])
    knee = float(physical["knee_db"])
    above = level_in > threshold + knee
    gain_db = (1 / ratio - 1) * (level_in[above] - threshold)
    expected = level_in[above] + 20 * np.log10(1 - wet + wet * 10 ** (gain_db / 20))
    assert above.any() and level_out[above] == pytest.approx(expected, abs=0.2)
    assert level_out[level_in < threshold - knee] == pytest.approx(level_in[level_in < threshold - knee], abs=0.05)
    (plain,), (heard,) = (processor_figure(result, node, of).axes for of in (None, song))
    assert len(heard.collections) == len(plain.collections) + 1, "no histogram of levels"


def test_an_equaliser_has_its_curve(result: Result) -> None:
    node = "track:bass/equalizer"
    hz, drawn_db = curves(result, node)["equaliser"].T
    equalizer = result.processors["equalizer"]
    assert isinstance(equalizer, ConvolutionProcessor)
    with torch.no_grad():
        response = equalizer.impulse_response(result.bank.select("equalizer", [node]))
    wet = result.bank.dry_wet()[node]
    taps = np.roll(np.pad(response.taps[0, 0].double().numpy(), (0, 1 << 15)), -response.origin)
    gain = np.abs(1 - wet + wet * np.fft.rfft(taps))
    bins = np.fft.rfftfreq(len(taps), 1 / result.config.audio.sample_rate)
    middle = (hz > 300) & (hz < 0.3 * result.config.audio.sample_rate)
    assert drawn_db[middle] == pytest.approx(np.interp(hz[middle], bins, 20 * np.log10(gain)), abs=1.0)


def test_another_node_is_refused(result: Result) -> None:
    with pytest.raises(ResultError, match=r"'track:bass/equaliser': .* did you mean 'track:bass/equalizer'"):
        processor_figure(result, "track:bass/equaliser")
    with pytest.raises(ResultError, match="no such processor"):
        processor_figure(result, "track:bass")


def test_the_command_draws_one_processor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = search(write_song(tmp_path / "song"), tmp_path / "result")
    node = found.graph.processors[0].id
    file, words = tmp_path / "one.svg", ["draw", str(tmp_path / "result"), "-o", str(tmp_path / "one.svg")]
    assert main([*words, "--node", node]) == 0
    plain = file.read_bytes()
    assert main(["draw", str(tmp_path / "result"), str(tmp_path / "song"), *words[2:], "--node", node]) == 0
    heard = file.read_bytes()
    assert plain.startswith(b"<?xml") and heard.startswith(b"<?xml") and heard != plain
    assert main([*words, "--node", node, str(tmp_path / "song")]) == 0
    assert file.read_bytes() == heard, "the song behind the flags is another one"
    capsys.readouterr()
    for more, said in (["--node", "x"], "no such processor"), (["--node", node, "--pruned"], "give one of them"):
        assert main([*words, *more]) == 2
        assert said in capsys.readouterr().err
    assert main(["draw", str(tmp_path / "result"), str(tmp_path / "song"), *words[2:]]) == 2
    assert "name it with --node" in capsys.readouterr().err
