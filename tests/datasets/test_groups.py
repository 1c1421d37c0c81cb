"""Guesses of subgroups that users extend, and that are shown before they are used."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixgraph.audio.song_file import read_layout
from mixgraph.audio.subgroups import guess_subgroups, init_song, propose_song, read_words
from mixgraph.cli import main
from mixgraph.errors import ConfigError
from tests.audio.folders import song_folder


def words(tmp_path: Path, text: str) -> Path:
    (tmp_path / "groups.toml").write_text(text)
    return tmp_path / "groups.toml"


def test_words_of_a_file_come_before_our_own(tmp_path: Path) -> None:
    extra = read_words(words(tmp_path, 'drums = ["boom", "Cab"]\n"my synths" = ["stylo"]'))
    assert extra == {"boom": "drums", "cab": "drums", "stylo": "my synths"}
    names = ["01_BassBoom", "02_Cab", "SynthStylo", "Synth", "Kick"]
    assert guess_subgroups(names, extra) == {
        "drums": ["01_BassBoom", "02_Cab", "Kick"],
        "my synths": ["SynthStylo"],
        "synths": ["Synth"],
    }
    assert guess_subgroups(names[:1]) == {"bass": names[:1]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('drums = "boom"', "drums = 'boom' was read; make it a list of words in quotes"),
        ("[drums]\na = 1", "make it a list of words"),
        ('drums = ["808"]', "'808' is no single word: names are cut at capitals, digits and signs"),
        ('drums = ["BoomBap"]', "'BoomBap' is no single word"),
        ('a = ["boom"]\nb = ["Boom"]', "'Boom' is in 'a' and in 'b'; keep it once"),
        ("drums", "cannot be read as TOML"),
    ],
)
def test_mistakes_in_a_file_of_words_are_named(tmp_path: Path, text: str, message: str) -> None:
    file = words(tmp_path, text)
    with pytest.raises(ConfigError, match=message) as raised:
        read_words(file)
    assert str(raised.value).startswith(f"{file}: ")


def test_a_missing_file_of_words(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file; give the path of a TOML file of groups"):
        read_words(tmp_path / "groups.toml")


# What MedleyDB calls instruments, from its taxonomy (marl/medleydb, medleydb/resources/taxonomy.yaml).
INSTRUMENTS = {
    "drums": [
        "drum set",
        "kick drum",
        "snare drum",
        "bass drum",
        "toms",
        "cymbal",
        "high hat",
        "drum machine",
        "claps",
    ],
    "percussion": ["auxiliary percussion", "tabla", "darbuka", "maracas", "triangle"],
    "bass": ["electric bass", "double bass"],
    "electric_guitars": ["clean electric guitar", "distorted electric guitar"],
    "acoustic_guitars": ["acoustic guitar"],
    "guitars": ["slide guitar", "lap steel guitar"],
    "vocals": ["male singer", "female singer", "vocalists", "male rapper", "female speaker"],
    "strings": ["violin", "viola section", "string section", "cello"],
    "brass": ["french horn", "trumpet section", "tuba", "horn section"],
    "woodwinds": ["english horn", "bass clarinet", "flute section", "bassoon"],
    "electric_piano": ["electric piano"],
    "synths": ["synthesizer"],
    "organ": ["electronic organ", "pipe organ"],
}


@pytest.mark.parametrize("group", INSTRUMENTS)
def test_instruments_are_understood(group: str) -> None:
    assert guess_subgroups(INSTRUMENTS[group]) == {group: INSTRUMENTS[group]}


def test_a_proposal_is_what_is_written(tmp_path: Path) -> None:
    folder = song_folder(tmp_path / "song", tracks=("kick", "boom", "vox"))
    extra = {"boom": "drums"}
    proposal = propose_song(folder, extra)
    assert not (folder / "song.toml").exists()
    init_song(folder, words=extra)
    written = read_layout(folder)
    assert written.subgroups == proposal.layout.subgroups == {"drums": ("boom", "kick"), "vocals": ("vox",)}
    assert (written.name, written.mix, written.tracks) == ("song", proposal.layout.mix, proposal.layout.tracks)


def test_init_shows_before_it_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = song_folder(tmp_path / "song", tracks=("kick", "boom"))
    file = words(tmp_path, 'drums = ["boom"]')
    assert main(["init", str(folder), "--groups", str(file), "--dry-run"]) == 0
    assert "drums  boom, kick" in capsys.readouterr().out
    assert not (folder / "song.toml").exists()
    assert main(["init", str(folder), "--groups", str(file)]) == 0
    assert "written to" in capsys.readouterr().out
    assert read_layout(folder).subgroups == {"drums": ("boom", "kick")}
