"""The recipe in words says what the result holds, and says it for every track."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from mixgraph.audio.song import Song
from mixgraph.fit.problem import Problem
from mixgraph.graph.graph import Graph
from mixgraph.graph.node import IN, MIX, OUT, Node
from mixgraph.processors.bank import DRY_WET
from mixgraph.report.hearing import hear
from mixgraph.report.recipe import Section, Step, describe_steps, write_recipe
from mixgraph.result.result import Result
from tests.report.sample import make_result, make_song


@pytest.fixture(scope="module")
def steps(song: Song, result: Result) -> dict[str, Step]:
    return describe_steps(result, hear(Problem(song, result.config, torch.device("cpu")), result), {})


def numbers(text: str) -> list[float]:
    return [float(number.replace("−", "-")) for number in re.findall(r"[−+]?\d+(?:\.\d+)?", text)]


def test_compressor_and_gate_read_as_in_the_result(steps: dict[str, Step], result: Result) -> None:
    physical = result.physical()
    for node in result.graph.processors:
        if node.type not in ("compressor", "noise_gate"):
            continue
        values, settings = physical[node.id], dict(steps[node.id].description.settings)
        assert numbers(settings["Threshold"])[0] == pytest.approx(float(values["threshold_db"]), abs=0.05)
        assert numbers(settings["Knee"])[0] == pytest.approx(float(values["knee_db"]), abs=0.05)
        assert numbers(settings["Time constant"])[0] == pytest.approx(float(values["smoothing_ms"]), rel=0.01)
        ratio = numbers(settings["Ratio"])
        assert ratio[0 if node.type == "compressor" else 1] == pytest.approx(float(values["ratio"]), abs=0.05)
        assert numbers(steps[node.id].description.words)[0] == numbers(settings["Threshold"])[0]


def test_gains_are_given_as_heard(steps: dict[str, Step], result: Result) -> None:
    id = "track:bass/gain_panning"
    wet, gain = result.bank.dry_wet()[id], 10 ** (result.physical()[id]["gain_db"].numpy() / 20)
    heard = 1 - wet + wet * gain
    settings = dict(steps[id].description.settings)
    assert numbers(settings["Left"])[0] == pytest.approx(20 * np.log10(heard[0]), abs=0.05)
    assert numbers(settings["Right"])[0] == pytest.approx(20 * np.log10(heard[1]), abs=0.05)
    assert ("right" in settings["Place"]) == (heard[1] > heard[0])


def test_delay_taps_lie_where_the_result_has_them(steps: dict[str, Step], result: Result) -> None:
    id = "track:drums/multitap_delay"
    times_ms = result.physical()[id]["tap_time_ms"].numpy()
    settings = dict(steps[id].description.settings)
    for rank in (1, 2, 3):
        time_ms, side = numbers(settings[f"Tap {rank}"])[0], int("right" in settings[f"Tap {rank}"])
        assert np.abs(times_ms[side].clip(0) - time_ms).min() <= 0.5


def test_reverb_times_are_means_of_rates(steps: dict[str, Step], result: Result) -> None:
    id = "track:voice/reverb"
    t60_s = result.physical()[id]["t60_s"].numpy()
    hz = np.arange(t60_s.shape[1]) * result.config.audio.sample_rate / result.config.processors.reverb_fft_size
    mid = (hz >= 250) & (hz < 4_000)
    settings = dict(steps[id].description.settings)
    assert numbers(settings["T60 mid"])[0] == pytest.approx(1 / np.mean(1 / t60_s[:, mid]), rel=0.06)


def test_every_processor_has_words_settings_and_a_chart_that_is_finite(steps: dict[str, Step], result: Result) -> None:
    assert set(steps) == {node.id for node in result.graph.processors}
    for step in steps.values():
        assert step.description.words and step.description.charts
        for chart in step.description.charts:
            for style, path in chart.paths:
                assert path and "nan" not in path and "inf" not in path, (step.id, style)


def test_the_share_of_wet_is_said_where_it_is_not_all(song: Song, result: Result) -> None:
    bank = result.bank.to("cpu")
    bank.tensors["reverb"][DRY_WET].copy_(torch.tensor([-1.5, 9.0]))
    heard = hear(Problem(song, result.config, torch.device("cpu")), result)
    words = {id: step.description.words for id, step in describe_steps(replace(result, bank=bank), heard, {}).items()}
    first, second = (words[id] for id in bank.ids["reverb"])
    assert first.endswith(", 18 % wet") and "wet" not in second


def section_names(sections: tuple[Section, ...]) -> list[tuple[str, list[str], str | None]]:
    return [
        (section.name, [strand.name for strand in section.tracks], section.bus and section.bus.name)
        for section in sections
    ]


def test_tracks_stand_under_their_subgroups(song: Song, result: Result) -> None:
    heard = hear(Problem(song, result.config, torch.device("cpu")), result)
    sections = write_recipe(result, heard, {})
    assert section_names(sections) == [("band", ["bass", "drums"], "band"), ("voice", ["voice"], "voice")]
    assert [step.type for step in sections[0].tracks[0].steps] == ["equalizer", "compressor", "gain_panning"]


def test_any_graph_has_a_recipe() -> None:
    song = make_song(["a", "b"], seconds=2)
    nodes = (Node("a", IN, "a"), Node("b", IN, "b"), Node("e", "equalizer"), Node("g", "gain_panning"),
             Node("r", "reverb"), Node("m", MIX), Node("o", OUT))  # fmt: skip
    edges = (("a", "e"), ("e", "g"), ("e", "m"), ("b", "m"), ("g", "m"), ("m", "r"), ("b", "r"), ("r", "o"), ("a", "o"))
    result = make_result(song, Graph(nodes, edges))
    heard = hear(Problem(song, result.config, torch.device("cpu")), result)
    sections = write_recipe(result, heard, {"e": 0.25})
    told = {step.id: step for section in sections for strand in (*section.tracks, section.bus) if strand
            for step in strand.steps}  # fmt: skip
    assert set(told) == {"e", "g", "r"} and told["e"].worth == 0.25 and told["g"].worth is None
