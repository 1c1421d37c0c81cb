"""A found graph on other stems: what is kept, what is dropped, and that levels are as they were found."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mixgraph.audio.loudness import integrated_lufs, track_lufs
from mixgraph.audio.song import Song
from mixgraph.errors import ConfigError, ResultError
from mixgraph.graph.graph import Graph
from mixgraph.graph.node import IN, OUT, Node
from mixgraph.presets.apply import apply_result, save_applied
from mixgraph.presets.mapping import Wishes
from mixgraph.result.result import Result
from tests.engine import RATE
from tests.report.sample import SUBGROUPS, make_page, make_result, make_song


@pytest.fixture(scope="module")
def song() -> Song:
    return make_song(seconds=6, subgroups=SUBGROUPS)


@pytest.fixture(scope="module")
def found(song: Song) -> Result:
    result = make_result(song)
    result.provenance["track_lufs"] = track_lufs(song, song.tracks)
    return result


def scaled(
    song: Song, gains_db: dict[str, float], *, names: dict[str, str] | None = None, has_mix: bool = True
) -> Song:
    """The same sounds at other levels and under other names."""
    tracks = {
        (names or {}).get(name, name): song.track(name) * np.float32(10 ** (gains_db.get(name, 0.0) / 20))
        for name in song.tracks
    }
    return Song.from_arrays("other", tracks, song.mix() if has_mix else None, RATE)


def close(found: np.ndarray, wanted: np.ndarray) -> None:
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-4 * np.abs(wanted).max())


def test_on_its_own_song_nothing_changes(song, found):
    applied = apply_result(found, song)
    assert set(found.graph.edges) <= set(apply_result(found, song, level="off").result.graph.edges)
    assert applied.gains_db == dict.fromkeys(song.tracks, pytest.approx(0.0, abs=1e-6))
    close(applied.result.render(song), found.render(song))
    assert applied.result.metrics["loss"]["pruned"]["target"] == pytest.approx(
        found.metrics["loss"]["pruned"]["target"], rel=1e-3
    )
    assert applied.result.console.processors  # still drawable, gains and all


def test_the_chain_hears_the_level_that_it_was_found_at(song, found):
    """Stems 9 dB down, 4 dB up, under other names: the mix is the found one, to the last bit of loudness."""
    names = {"bass": "Sub Bass", "drums": "Kit", "voice": "Vocal"}
    other = scaled(song, {"bass": -9.0, "voice": 4.0}, names=names)
    applied = apply_result(found, other)
    assert applied.gains_db == {"Sub Bass": pytest.approx(9.0), "Kit": pytest.approx(0.0), "Vocal": pytest.approx(-4.0)}
    assert [node.source for node in applied.result.graph.inputs] == ["Sub Bass", "Kit", "Vocal"]
    close(applied.result.render(other), found.render(song))
    raw = apply_result(found, other, level="off")
    assert raw.gains_db == {} and np.abs(raw.result.render(other) - found.render(song)).max() > 1e-2


def test_undone_levels_come_back_behind_the_chain(song, found):
    other = scaled(song, {"bass": -9.0, "voice": 4.0})
    applied = apply_result(found, other, level="undo")
    # Only chains with a compressor or gate hear levels: others would gain nothing from two gains that cancel.
    assert set(applied.gains_db) == {"bass", "drums"}
    last = "track:bass/level undone"
    heard = applied.result.signals(other, [last])[last]
    before = found.signals(song, ["track:bass/gain_panning"])["track:bass/gain_panning"]
    close(heard, before * 10 ** (-9 / 20))


def test_subgroups_are_dropped_and_created(song, found):
    names = {"bass": "bass", "drums": "Zither", "voice": "Zurna"}
    other = scaled(song, {}, names=names)
    result = apply_result(found, other, wishes=Wishes({}, {"band": ["bass"], "folk": ["Zither"]})).result
    assert {node.id for node in result.graph.nodes if node.type == "mix"} == {"subgroup:band", "subgroup:folk"}
    assert result.graph.predecessors("subgroup:folk") == ("track:Zither",)
    assert set(result.graph.predecessors("out")) == {"subgroup:folk", "track:Zurna", "subgroup:band/reverb"}
    assert not any(node.id.startswith(("track:Zither/", "track:Zurna/")) for node in result.graph.nodes)
    assert result.provenance["subgroups"] == {"band": ["bass"], "folk": ["Zither"]}


@pytest.mark.parametrize(
    ("only", "kept"),
    [
        (["track:voice"], {"track:voice/gain_panning", "track:voice/reverb"}),
        (["band"], {"subgroup:band/equalizer", "subgroup:band/compressor", "subgroup:band/reverb"}),
    ],
)
def test_one_chain_alone(song, found, only, kept):
    applied = apply_result(found, song, only=only, level="off")
    assert {node.id for node in applied.result.graph.processors} == kept
    assert applied.result.metrics["processors"]["kept"]["total"] == len(kept)


@pytest.mark.parametrize(("name", "cure"), [("voice", "say track:voice or subgroup:voice"), ("bas", "did you mean")])
def test_a_chain_that_is_none_or_two_is_named(song, found, name, cure):
    with pytest.raises(ConfigError, match=cure):
        apply_result(found, song, only=[name])


def test_two_tracks_may_share_a_chain(song, found):
    other = Song.from_arrays("two", {"Bass L": song.track("bass"), "Bass R": song.track("bass")}, None, RATE)
    applied = apply_result(found, other, level="off")
    rows = applied.result.physical()
    for effect in ("equalizer", "compressor", "gain_panning"):
        one, two = (rows[f"track:Bass {side}/{effect}"] for side in "LR")
        for name, value in found.physical()[f"track:bass/{effect}"].items():
            assert np.array_equal(one[name], value) and np.array_equal(two[name], value)
    assert applied.mapping.subgroups == {"band": ("Bass L", "Bass R")}


def test_sends_stay_what_they_are(song, found):
    """A track that feeds several nodes keeps doing so."""
    nodes = (Node("track:bass", IN, "bass"), Node("wet", "reverb"), Node("dry", "gain_panning"), Node("out", OUT))
    edges = (("track:bass", "wet"), ("track:bass", "dry"), ("wet", "out"), ("dry", "out"))
    one = Song.from_arrays("one", {"bass": song.track("bass")}, None, RATE)
    result = make_result(one, Graph(nodes, edges))
    result.provenance["track_lufs"] = track_lufs(one, one.tracks)
    for level in ("keep", "undo", "off"):
        quiet = scaled(one, {"bass": -6.0}, has_mix=False)
        applied = apply_result(result, quiet, level=level).result
        wanted = result.render(one) * (1.0 if level == "keep" else 10 ** (-6 / 20))
        close(applied.render(quiet), wanted)


def test_unknown_loudness_is_named_with_the_cure(song, found):
    nameless = Result(found.graph, found.bank, found.config, found.metrics, {"song": "x"})
    with pytest.raises(ResultError, match=r"loudness of the found track 'bass'.*--level off"):
        apply_result(nameless, song)
    assert apply_result(nameless, song, level="off").gains_db == {}


def test_silence_is_left_alone(song, found):
    other = Song.from_arrays("quiet", {"bass": np.zeros(3 * RATE), "voice": song.track("voice")}, None, RATE)
    assert apply_result(found, other).gains_db["bass"] == 0.0


def test_a_song_without_a_mix_gives_a_result_all_the_same(song, found, tmp_path: Path):
    other = scaled(song, {"bass": -3.0}, has_mix=False)
    applied = apply_result(found, other)
    save_applied(applied, other, tmp_path / "out")
    again = Result.load(tmp_path / "out")
    assert again.metrics["loss"] == {} and again.provenance["applied"]["song"] == "sample"
    assert again.provenance["applied"]["gains_db"]["bass"] == pytest.approx(3.0, abs=0.01)
    close(again.render(other), applied.result.render(other))
    page = make_page(tmp_path, other, result=again, history=[]).read_text()
    assert "found on “sample”" in page and "<dt>Loss</dt>" not in page


def test_a_damaged_loss_is_still_refused(song, found, tmp_path: Path):
    save_applied(apply_result(found, song), song, tmp_path / "out", report=True)
    assert (tmp_path / "out" / "report.html").is_file()
    path = tmp_path / "out" / "metrics.json"
    metrics = json.loads(path.read_text())
    metrics["loss"]["pruned"]["target"] = "low"
    path.write_text(json.dumps(metrics))
    with pytest.raises(ResultError, match=r"loss\.pruned\.target"):
        Result.load(tmp_path / "out")


def test_an_applied_result_can_be_applied_again(song, found):
    other = scaled(song, {"bass": -9.0})
    applied = apply_result(found, other).result
    once_more = apply_result(applied, song)
    assert once_more.gains_db["bass"] == pytest.approx(-9.0, abs=1e-6)
    assert integrated_lufs(once_more.result.render(song), RATE) == pytest.approx(
        integrated_lufs(applied.render(other), RATE), abs=0.01
    )
