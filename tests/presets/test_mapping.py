"""Which chain goes to which track, and the file that says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixgraph.console import build_console
from mixgraph.errors import ConfigError
from mixgraph.presets.mapping import Wishes, make_mapping, read_mapping, read_wishes
from mixgraph.presets.matching import match_tracks

FOUND = ("KICK", "SNARE", "BASS_m", "VOX_LEAD", "BGVOX_1", "BGVOX_2")
GROUPS = {"drums": ["KICK", "SNARE"], "vocals": ["VOX_LEAD", "BGVOX_1", "BGVOX_2"]}


@pytest.fixture
def graph():
    return build_console(FOUND, GROUPS, ("equalizer", "gain_panning"))


@pytest.mark.parametrize(
    ("track", "chain", "reason"),
    [
        ("kick", "KICK", "name"),
        ("02_Kick_m", "KICK", "words"),
        ("bd", "KICK", "instrument"),
        ("SnareTop", "SNARE", "instrument"),
        ("01_sub_bass", "BASS_m", "instrument"),
        ("LeadVox", "VOX_LEAD", "words"),
        ("HiHat", None, "none"),
        ("Zither", None, "none"),
    ],
)
def test_names_then_words_then_instruments_decide(track, chain, reason):
    match = match_tracks([track], FOUND)[track]
    assert (match.chain, match.reason) == (chain, reason)


def test_tracks_that_are_as_near_get_chains_in_turn():
    matches = match_tracks(["BV a", "BV b", "BV c"], ["BGVOX_1", "BGVOX_2"])
    assert [match.chain for match in matches.values()] == ["BGVOX_1", "BGVOX_2", "BGVOX_1"]


def test_subgroups_are_those_of_the_chains_or_the_fellows_or_new(graph):
    tracks = ["Kick", "HiHat", "Lead Vox", "Zither", "Zurna", "Bass"]
    own = {"kit": ["Kick", "HiHat"], "folk": ["Zither", "Zurna"]}
    assert make_mapping(graph, tracks, own).subgroups == {
        "drums": ("Kick", "HiHat"),  # no chain suits a hi-hat, but its fellow goes there
        "vocals": ("Lead Vox",),
        "folk": ("Zither", "Zurna"),
        "BASS_m": ("Bass",),
    }


def test_a_written_mapping_reads_as_itself(graph, tmp_path: Path):
    tracks = ['Kick "in"', "Lead Vox", "Zither", "100%\x7f"]
    mapping = make_mapping(graph, tracks, {})
    mapping.write(tmp_path / "map.toml")
    again = make_mapping(graph, tracks, {}, read_mapping(tmp_path / "map.toml"))
    assert again.subgroups == mapping.subgroups
    assert [m.chain for m in again.tracks.values()] == [m.chain for m in mapping.tracks.values()]
    assert {m.reason for m in again.tracks.values()} == {"given"}


def test_wishes_come_before_names(graph):
    wishes = Wishes({}).updated(read_wishes("SNARE=Kick")).updated(read_wishes("=Snare"))
    mapping = make_mapping(graph, ["Kick", "Snare", "Zither"], {}, wishes)
    assert [match.chain for match in mapping.tracks.values()] == ["SNARE", None, None]
    grouped = make_mapping(graph, ["Kick", "Snare"], {}, Wishes({}, {"vocals": ["Kick"]}))
    assert grouped.subgroups == {"vocals": ("Kick",)} and grouped.home("Snare") is None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("kick", "no such file"),
        ("KICK=", "KICK="),
        ("KICK=Kik", "did you mean 'Kick'"),
        ("KIK=Kick", "did you mean 'KICK'"),
    ],
)
def test_wishes_that_name_nothing_are_named(graph, text, named):
    with pytest.raises(ConfigError, match=named):
        make_mapping(graph, ["Kick"], {}, read_wishes(text))


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("[tracks", "TOML"),
        ("[traks]", "traks"),
        ("tracks = 1", "tracks = 1"),
        ("[tracks]\nKick = 1", "Kick = 1"),
        ("[subgroups]\ndrums = ['Kik']", "did you mean 'Kick'"),
        ("[subgroups]\ndrums = ['Kick']\nkit = ['Kick']", "keep it once"),
    ],
)
def test_files_that_cannot_be_used_are_named(graph, tmp_path: Path, content, named):
    path = tmp_path / "map.toml"
    path.write_text(content)
    with pytest.raises(ConfigError, match=named):
        make_mapping(graph, ["Kick"], {}, read_mapping(path))
