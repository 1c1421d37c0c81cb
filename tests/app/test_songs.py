"""Subgroups that are chosen on the page, and consoles as the page draws them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixgraph.app.names import folder_name
from mixgraph.app.settings import EFFORTS, LETTERS, Choices
from mixgraph.app.songs import choose_subgroups, read_song
from mixgraph.app.strips import strips_of
from mixgraph.audio.song_file import Offset, read_layout
from mixgraph.config import PRESETS, make_config
from mixgraph.console import build_console
from mixgraph.errors import ConfigError, SongError
from mixgraph.processors.bank import chain_types
from tests.audio.folders import song_folder
from tests.cli.tiny import SETTINGS

ODD = {'quo"te\\': ["kick"], "tab\tand é": ["snare"]}


def test_what_is_chosen_is_what_is_read(tmp_path: Path) -> None:
    folder = song_folder(tmp_path / "song", 'name = "Old"\nmix = "mix.wav"\n[offsets]\nvox = "20 ms"\n')
    choose_subgroups(folder, ' A "new"\x7f name ', ODD)
    layout = read_layout(folder)
    assert layout.name == 'A "new"\x7f name'
    assert {group: list(tracks) for group, tracks in layout.subgroups.items()} == ODD
    assert layout.offsets == {"vox": Offset(seconds=0.02)}
    choose_subgroups(folder, "", {})
    assert read_song(folder).subgroups == {}, "none was chosen, so none is guessed"
    with pytest.raises(SongError, match="'tuba'"):
        choose_subgroups(folder, "", {"brass": ["tuba"]})
    assert read_song(folder).title == 'A "new"\x7f name'


def test_undecided_songs_are_guessed(tmp_path: Path) -> None:
    song = read_song(song_folder(tmp_path / "song"))
    assert song.subgroups == song.guessed == {"drums": ("kick", "snare"), "vocals": ("vox",)}


@pytest.mark.parametrize("subgroups", [{}, {"drums": ["kick", "snare"]}, {"a": ["kick"], "b": ["vox", "snare"]}])
def test_strips_are_those_of_the_console(subgroups: dict[str, list[str]], tmp_path: Path) -> None:
    folder = song_folder(tmp_path / "song")
    choose_subgroups(folder, "", subgroups)
    song = read_song(folder)
    chain = ("equalizer", "reverb", "equalizer")
    console = build_console([track.name for track in song.tracks], song.subgroups, chain)
    strips = strips_of(console)
    assert len(strips) == song.strips
    assert sorted(slot.id for strip in strips for slot in strip.slots) == sorted(node.id for node in console.processors)
    assert {strip.name for strip in strips if not strip.is_group} == {"kick", "snare", "vox"}
    assert [slot.place for slot in strips[0].slots] == ["equalizer", "reverb", "equalizer 2"]
    removed = {"track:vox/equalizer", "track:vox/reverb", "track:vox/equalizer 2", "track:kick/reverb"}
    pruned = strips_of(console.without(removed))
    left = {slot.id for strip in pruned for slot in strip.slots}
    assert left == {node.id for node in console.processors} - removed
    assert [(strip.name, strip.group) for strip in pruned] == [(strip.name, strip.group) for strip in strips]


def test_letters_are_those_of_the_processors() -> None:
    assert chain_types("".join(LETTERS)) == tuple(LETTERS.values())


def test_choices_are_settings() -> None:
    assert Choices().config() == make_config()
    assert Choices(effort="paper", tolerance=0.01).config() == make_config("paper")
    assert {effort.preset for effort in EFFORTS.values()} <= set(PRESETS)
    chosen = Choices(effort="quick", chain="eg", sample_rate=44_100, seed=5, use_subgroups=False).config()
    assert (chosen.console.chain, chosen.audio.sample_rate, chosen.seed) == ("eg", 44_100, 5)
    quick, standard, thorough = (Choices.read({"effort": name}).config() for name in ("quick", "standard", "thorough"))
    assert quick.fit.console_steps < standard.fit.console_steps < thorough.fit.console_steps
    tiny = Choices(chain="g", more=SETTINGS).config()
    assert (tiny.console.chain, tiny.seed, tiny.fit.console_steps) == ("ecgd", 3, 6), (
        "further settings have the last word"
    )
    for form, said in {
        '{"chain": ""}': "at least one",
        '{"more": "fit = 3"}': "fit",
        '{"more": "[fit"}': "not valid TOML",
        '{"more": "[seed]"}': "seed",
        '{"tolerance": NaN}': "tolerance",
        '{"efort": "quick"}': "efort",
    }.items():
        import json

        with pytest.raises(ConfigError, match=said):
            Choices.read(json.loads(form)).config()


def test_folder_names() -> None:
    assert folder_name("../../etc/passwd", []) == "etc-passwd"
    assert folder_name("<script>", []) == "script"
    assert folder_name(" … ", []) == "song"
    assert folder_name("Über Song", ["über-song", "Über-Song-2"]) == "Über-Song-3"
    assert len(folder_name("x" * 500, [])) <= 60
