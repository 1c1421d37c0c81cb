"""What synthetic songs are drawn from: bands, levels, excerpts and settings."""

from __future__ import annotations

import math
import random
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from mixgraph.audio.song import Song
from mixgraph.config import ProcessorConfig
from mixgraph.console import build_console
from mixgraph.corpus.synthetic.bands import DEEPEST_DB, bell_db, high_pass_db, high_shelf_db, low_shelf_db
from mixgraph.corpus.synthetic.draw import draw_console, make_bank, with_gain
from mixgraph.corpus.synthetic.excerpt import draw_excerpt
from mixgraph.corpus.synthetic.levels import Levels, levels_of
from mixgraph.corpus.synthetic.ranges import Chance, Range, Ranges, presence_table, range_table
from mixgraph.corpus.synthetic.settings import DRAWS, Place, Settings, draw_settings
from mixgraph.errors import ConfigError, SongError
from mixgraph.processors.bank import chain_types, make_processors
from mixgraph.processors.base import PROCESSORS
from mixgraph.result.result import Result
from tests.corpus.sources import plan_config
from tests.engine import RATE, small_song

RANGES = Ranges()
ALWAYS = Ranges(presence=dict.fromkeys(RANGES.presence, (1.0, 1.0)))
CHAIN = chain_types("ecnsgdr")
CONFIG = plan_config()
PROCESSORS_HERE = make_processors(CHAIN, RATE, CONFIG.processors)
LOUD = Levels(active_db=-20.0, floor_db=-45.0, side_db=-6.0)


def drawn(kind: str, *, levels: Levels = LOUD, on_subgroup: bool = False, count: int = 200) -> list[Settings]:
    """Settings at one place, at the usual sizes."""
    processor, rng = PROCESSORS[kind](30_000, ProcessorConfig()), random.Random(kind)
    place = Place(levels, on_subgroup, tempo_bpm=120.0)
    found = [draw_settings(processor, place, RANGES, rng) for _ in range(count)]
    return [settings for settings in found if settings]


def values(settings: list[Settings], name: str) -> np.ndarray:
    return np.array([one.physical[name].tolist() for one in settings])


def test_the_documentation_shows_the_ranges() -> None:
    text = (Path(__file__).parents[2] / "docs" / "synthetic.md").read_text()
    assert range_table(RANGES) in text and presence_table(RANGES) in text


def test_ranges_are_sound_and_drawn_from_end_to_end() -> None:
    rng = random.Random(0)
    for name, setting in RANGES.settings():
        if isinstance(setting, Chance):
            assert 0 <= setting.share <= 1, name
            continue
        draws = [setting.draw(rng) for _ in range(400)]
        span = setting.high - setting.low
        assert setting.low <= min(draws) < setting.low + 0.1 * span, name
        assert setting.high - 0.1 * span < max(draws) <= setting.high, name
    assert set(RANGES.presence) == set(PROCESSORS) == set(DRAWS)


def test_a_logarithmic_range_has_its_median_at_the_geometric_mean() -> None:
    wide, rng = Range(10, 1_000, "Hz", "anything", log=True), random.Random(1)
    assert np.median([wide.draw(rng) for _ in range(2_000)]) == pytest.approx(100, rel=0.15)


def test_bands_are_what_engineers_call_them() -> None:
    hz = np.array([1e-3, 100.0, 1_000.0, 1e7])
    assert bell_db(hz, 1_000, -6.0, 2.0) == pytest.approx([0, -0.01, -6, 0], abs=0.1)
    assert low_shelf_db(hz, 1_000, 8.0) == pytest.approx([8, 8, 4, 0], abs=0.1)
    assert high_shelf_db(hz, 1_000, 8.0) == pytest.approx([0, 0, 4, 8], abs=0.1)


def test_the_high_pass_is_a_butterworth() -> None:
    hz = np.geomspace(20, 10_000, 50)
    assert high_pass_db(hz, 100) == pytest.approx(-10 * np.log10(1 + (100 / hz) ** 4), abs=1e-9)
    assert high_pass_db(np.zeros(1), 100) == pytest.approx(DEEPEST_DB)


def test_levels_of_a_tone_in_a_quiet_hiss() -> None:
    """Half of it is a full-scale sine on both sides; the floor is that of the other half, the level that of this."""
    time = torch.arange(2 * RATE) / RATE
    hiss = 1e-3 * torch.randn(2, 2 * RATE, generator=torch.Generator().manual_seed(0))
    levels = levels_of(hiss + (time >= 1) * torch.sin(2 * math.pi * 400 * time), RATE)
    assert levels is not None
    assert levels.active_db == pytest.approx(10 * math.log10(0.5), abs=0.01)
    assert levels.floor_db == pytest.approx(-60, abs=0.5)
    assert levels.side_db < -50
    assert levels_of(torch.zeros(2, RATE), RATE) is None


def test_the_side_of_opposite_channels_is_all_there_is() -> None:
    tone = torch.sin(torch.arange(RATE) * 0.3)
    levels = levels_of(torch.stack([tone, -tone]), RATE)
    assert levels is not None and levels.side_db > 100


def test_excerpts_hold_tracks_that_sound_there() -> None:
    """One track sounds in the first half only, one in the second, one always, one never."""
    always = 0.1 * np.random.default_rng(0).normal(size=8 * RATE)
    time = np.arange(8 * RATE)
    tracks = {"first": always * (time < 4 * RATE), "second": always * (time >= 4 * RATE), "always": always}
    song = Song.from_arrays("made here", tracks | {"never": 0 * always}, None, RATE)
    for seed in range(20):
        one = draw_excerpt(song, (2, 2), (1.5, 3.0), random.Random(seed))
        assert 1.5 * RATE <= one.samples <= 3 * RATE and 0 <= one.start <= song.samples - one.samples
        assert len(one.tracks) == 2 and "never" not in one.tracks
        assert one.tracks == tuple(name for name in song.tracks if name in one.tracks)
        for name in one.tracks:
            assert song.track_segment(one.start, one.samples, [name]).any()
    assert len(draw_excerpt(song, (4, 4), (8.0, 9.0), random.Random(0)).tracks) == 3, "as many as there are"
    assert draw_excerpt(song, (1, 1), (20.0, 20.0), random.Random(0)).samples == song.samples
    with pytest.raises(SongError, match="hardly sound"):
        draw_excerpt(Song.from_arrays("silence", {"never": 0 * always}, None, RATE), (1, 2), (1, 2), random.Random(0))


def test_thresholds_follow_the_level() -> None:
    compressors, gates = drawn("compressor"), drawn("noise_gate")
    depth = LOUD.active_db - values(compressors, "threshold_db")
    height = (values(gates, "threshold_db") - LOUD.floor_db) / (LOUD.active_db - LOUD.floor_db)
    assert len(compressors) == len(gates) == 200
    assert 0 <= depth.min() < 1 and 11 < depth.max() <= 12
    assert 0.1 <= height.min() < 0.15 and 0.65 < height.max() <= 0.7
    for settings, kind in ((compressors, "compressor"), (gates, "gate")):
        for name in ("ratio", "knee_db", "smoothing_ms"):
            limit = getattr(RANGES, f"{kind}_{name}")
            assert limit.low <= values(settings, name).min() < values(settings, name).max() <= limit.high


def test_processors_that_could_do_nothing_are_not_put_there() -> None:
    """Under the energy floor, on a steady signal, on a mono one, and in slots longer than any echo."""
    assert not drawn("compressor", levels=Levels(-48.0, -50.0, 0.0))
    assert not drawn("noise_gate", levels=Levels(-20.0, -25.0, 0.0))
    assert not drawn("stereo_imager", levels=Levels(-20.0, -45.0, -200.0))
    short = PROCESSORS["multitap_delay"](RATE, ProcessorConfig(delay_seconds=0.05, delay_slot_seconds=0.01))
    assert draw_settings(short, Place(LOUD, False, 120.0), RANGES, random.Random(0)) is None


def test_equalisers_are_a_few_bands() -> None:
    curves = values(drawn("equalizer", on_subgroup=True), "magnitude_db")
    assert np.abs(curves).max() <= 3 * 9 + 2 * 9, "three bells and two shelves"
    assert (np.abs(curves).max(1) > 2.5).all()
    at_zero = [values(drawn("equalizer", on_subgroup=where), "magnitude_db")[:, 0].min() for where in (False, True)]
    assert at_zero[0] < DEEPEST_DB + 15 and at_zero[1] >= -9.1, "only tracks have high-passes"


def test_gains_bring_tracks_to_a_level_and_pan_at_constant_power() -> None:
    gains = values(drawn("gain_panning"), "gain_db")
    power_db = 10 * np.log10(np.mean(10 ** (gains / 10), axis=1))
    assert -12 <= power_db.min() < -11 and 1 < power_db.max() <= 2
    panned = np.abs(gains[:, 0] - gains[:, 1]) > 1e-9
    assert 0.5 < panned.mean() < 0.7
    quiet = values(drawn("gain_panning", levels=Levels(-70.0, -75.0, 0.0)), "gain_db")
    assert 10 * np.log10(np.mean(10 ** (quiet / 10), axis=1)) == pytest.approx(18, abs=1e-6)


def test_echoes_are_in_time_and_each_is_softer() -> None:
    """At 120 bpm a bar lasts 2 s."""
    for one in drawn("multitap_delay"):
        color, times = one.physical["color_db"], one.physical["tap_time_ms"]
        heard = color[..., 0] > -80
        echoes = sorted(
            {(round(ms), level) for ms, level in zip(times[heard].tolist(), color[heard][:, 0].tolist(), strict=True)}
        )
        first = echoes[0][0]
        assert first in (125, 250, 375, 500)
        assert [ms for ms, _ in echoes] == [first * number for number in range(1, len(echoes) + 1)]
        assert all(3 <= before - after <= 9 for (_, before), (_, after) in pairwise(echoes))
        assert echoes[0][1] == 0 and len(echoes) <= 5


def test_reverbs_decay_fastest_at_the_top() -> None:
    """Bins lie 78 Hz apart."""
    times = values(drawn("reverb"), "t60_s")[:, 0]
    low, middle, high = times[:, 0], times[:, 30], times[:, -1]
    assert (high <= 0.9 * middle).all() and (low >= middle).all()
    assert 0.3 <= middle.min() < 0.4 and 2.5 < middle.max() <= 3


def test_settings_become_raw_parameters_and_are_the_same_again() -> None:
    for kind in PROCESSORS:
        processor = PROCESSORS[kind](30_000, ProcessorConfig())
        for one in drawn(kind, count=5):
            raw = processor.raw({name: value[None] for name, value in one.physical.items()})
            for name, value in processor.physical(raw).items():
                torch.testing.assert_close(value[0], one.physical[name], msg=f"{kind} {name}")


def test_every_track_passes_a_gain_and_single_tracks_have_no_subgroup_processors() -> None:
    song = small_song(samples=RATE, subgroups={"band": ["bass", "drums"], "front": ["voice"]})
    console = build_console(song.tracks, song.subgroups, CHAIN)
    never = Ranges(presence={})
    assert draw_console(song, console, PROCESSORS_HERE, never, random.Random(0)).keys() == {
        f"track:{name}/gain_panning" for name in song.tracks
    }
    everything = draw_console(song, console, PROCESSORS_HERE, ALWAYS, random.Random(0))
    assert {name.rpartition("/")[0] for name in everything} == {
        *(f"track:{name}" for name in song.tracks),
        "subgroup:band",
    }
    bare = build_console(song.tracks, song.subgroups, chain_types("ec"))
    with pytest.raises(ConfigError, match="letter g"):
        draw_console(song, bare, PROCESSORS_HERE, RANGES, random.Random(0))


@pytest.mark.parametrize("change_db", [-9.0, 6.0])
def test_a_change_of_gain_makes_the_mix_so_much_louder_and_nothing_else(change_db: float) -> None:
    """Behind the gains of the tracks come compressor and gate of the subgroup, which must hear the same."""
    song = small_song(samples=2 * RATE, subgroups={"band": ["bass", "drums"]})
    console = build_console(song.tracks, song.subgroups, CHAIN)
    # The energy that is added to envelopes does not change with the level: with none of it the law is exact.
    sizes = CONFIG.processors.model_copy(update={"dynamics_energy_floor": 1e-12})
    processors, config = make_processors(CHAIN, RATE, sizes), CONFIG.model_copy(update={"processors": sizes})
    settings = draw_console(song, console, processors, ALWAYS, random.Random(2))
    settings = {name: one for name, one in settings.items() if name != "subgroup:band/gain_panning"}
    assert "subgroup:band/compressor" in settings

    def render(some: dict[str, Settings]) -> np.ndarray:
        graph = console.without({node.id for node in console.processors} - some.keys())
        return Result(graph, make_bank(graph, some, processors), config, {}, {}).render(song)

    before, after = render(settings), render(with_gain(console, settings, change_db))
    expected = before * 10 ** (change_db / 20)
    assert np.linalg.norm(after - expected) < 1e-4 * np.linalg.norm(expected)
    assert np.linalg.norm(after - before) > 0.3 * np.linalg.norm(before)
