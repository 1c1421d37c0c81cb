"""Song folders: what song.toml and the structure of a folder mean, every mistake in them, and guessed subgroups."""

from __future__ import annotations

import os
import tomllib
import unicodedata
from pathlib import Path

import pytest

from mixgraph.audio.song import Song, load_song
from mixgraph.audio.song_file import parse_layout, read_layout
from mixgraph.audio.subgroups import guess_subgroups, init_song
from mixgraph.errors import AudioFileError, OutputError, SongError
from tests.audio.folders import RATE, song_folder, tone, write


def test_everything_that_song_toml_says(tmp_path: Path) -> None:
    toml = """
        name = "A song"
        mix = "masters/final.wav"
        tracks = "stems"
        [subgroups]
        drums = ["snare", "kick"]
        empty = []
        [offsets]
        kick = -3
        snare = 0.5
        vox = "-20 ms"
    """
    folder = song_folder(tmp_path, toml)
    (folder / "tracks").rename(folder / "stems")
    write(folder / "masters" / "final.wav", tone())
    layout = read_layout(folder)
    assert (layout.name, layout.mix) == ("A song", folder / "masters" / "final.wav")
    assert layout.tracks == {name: folder / "stems" / f"{name}.wav" for name in ("kick", "snare", "vox")}
    assert layout.subgroups == {"drums": ("snare", "kick")}
    offsets = {name: offset.at(16_000, RATE) for name, offset in layout.offsets.items()}
    assert offsets == {"kick": round(-1.5), "snare": RATE // 2, "vox": -160}


def test_folders_alone_are_enough(tmp_path: Path) -> None:
    folder = tmp_path / "My song"
    for name in ("drums/kick.wav", "drums/close/snare.flac", "room/kick.aiff", "vox.wav", ".vox.wav", ".x/a.wav"):
        write(folder / "tracks" / name, tone(100))
    (folder / "tracks" / "notes.txt").write_text("no track")
    write(folder / "MIX.flac", tone())
    layout = read_layout(folder)
    assert layout.name == "My song"
    assert layout.mix == folder / "MIX.flac"
    assert list(layout.tracks) == ["snare", "drums_kick", "room_kick", "vox"]
    assert layout.subgroups == {"drums": ("snare", "drums_kick"), "room": ("room_kick",)}


def test_mix_among_the_tracks_is_no_track(tmp_path: Path) -> None:
    folder = song_folder(tmp_path, 'tracks = "tracks"\nmix = "tracks/vox.wav"')
    assert list(read_layout(folder).tracks) == ["kick", "snare"]


def test_accents_are_the_same_however_composed(tmp_path: Path) -> None:
    composed = "guitare étouffée"
    folder = song_folder(tmp_path, f'[subgroups]\ngtr = ["{composed}"]', (unicodedata.normalize("NFD", composed),))
    assert read_layout(folder).subgroups == {"gtr": (composed,)}


def _double_mix(folder: Path) -> None:
    write(folder / "mix.flac", tone())


def _no_tracks(folder: Path) -> None:
    for file in (folder / "tracks").iterdir():
        file.unlink()


def _twins(folder: Path) -> None:
    write(folder / "tracks" / "kick.flac", tone())


def _silent_mix(folder: Path) -> None:
    write(folder / "mix.wav", 0 * tone())


def _nothing(folder: Path) -> None:
    return None


TOML = "song.toml"
REFUSED = {
    "no mix": (None, lambda folder: (folder / "mix.wav").unlink(), "", "no mix; add mix.wav"),
    "two mixes": (None, _double_mix, "", r"more than one mix \(mix.flac, mix.wav\); keep one or set mix"),
    "silent mix": (None, _silent_mix, "mix.wav", "is silent; export it again"),
    "no tracks": (None, _no_tracks, "tracks", "no tracks; put audio files there"),
    "no tracks folder": ('tracks = "stems"', _nothing, TOML, "no tracks folder .*stems; create it"),
    "same stem twice": (None, _twins, "tracks/kick.wav", "'kick' like .*kick.flac; rename or remove"),
    "missing mix": ('mix = "mixx.wav"', _nothing, TOML, "'mixx.wav' does not exist .*; did you mean 'mix.wav'"),
    "not TOML": ("name = ", _nothing, TOML, "not valid TOML .*; correct that place"),
    "unknown key": ('subgroup = "a"', _nothing, TOML, "unknown key 'subgroup'; did you mean 'subgroups'"),
    "very unknown key": (
        "bpm = 120",
        _nothing,
        TOML,
        "key 'bpm'; known: name, mix, tracks, subgroups, offsets",
    ),
    "name is a number": ("name = 3", _nothing, TOML, "name = 3 .*; make it a text in quotes"),
    "subgroups is a list": ('subgroups = ["a"]', _nothing, TOML, r"; make it a table, \[subgroups\]"),
    "subgroup is a text": ('[subgroups]\nd = "kick"', _nothing, TOML, "'d' must be a list of track names, such as"),
    "missing track": ('[subgroups]\nd = ["Kick"]', _nothing, TOML, "'Kick', no such track; did you mean 'kick'"),
    "far from any track": ('[subgroups]\nd = ["0"]', _nothing, TOML, "no such track; tracks: kick, snare, vox"),
    "in two subgroups": (
        '[subgroups]\na = ["vox"]\nb = ["vox"]',
        _nothing,
        TOML,
        "'vox' is in 'a' and in 'b'; keep",
    ),
    "twice in one": ('[subgroups]\na = ["vox", "vox"]', _nothing, TOML, "'vox' is twice in 'a'; keep it once"),
    "offset of no track": (
        "[offsets]\nsnar = 1",
        _nothing,
        TOML,
        "'snar', no such track; did you mean 'snare'",
    ),
    "offset in minutes": ('[offsets]\nvox = "1 min"', _nothing, TOML, "is '1 min'; write samples as 2205, seconds as"),
    "offset true": ("[offsets]\nvox = true", _nothing, TOML, "is True; write"),
    "offset nan": ("[offsets]\nvox = nan", _nothing, TOML, "is nan; write"),
    "offset cuts all": ("[offsets]\nvox = -4000", _nothing, "tracks/vox.wav", "cuts all of its 0.50 s; use a smaller"),
    "offset after the end": (
        "[offsets]\nvox = 0.5",
        _nothing,
        "tracks/vox.wav",
        "the mix ends .*; use a smaller",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_mistakes_are_named_with_the_cure(tmp_path: Path, case: str) -> None:
    toml, spoil, named, message = REFUSED[case]
    folder = song_folder(tmp_path, toml)
    spoil(folder)
    with pytest.raises(SongError, match=message) as raised:
        load_song(folder, sample_rate=RATE)
    assert str(raised.value).startswith(str(folder / named))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["missing", "mix.wav"])
def test_no_folder(tmp_path: Path, name: str) -> None:
    song_folder(tmp_path)
    with pytest.raises(SongError, match=f"{name}: no such song folder; check the path"):
        load_song(tmp_path / name, sample_rate=RATE)


def test_a_bad_file_in_a_song_is_named(tmp_path: Path) -> None:
    folder = song_folder(tmp_path)
    (folder / "tracks" / "snare.wav").write_text("no audio")
    with pytest.raises(AudioFileError, match=r"snare\.wav: cannot be read as audio"):
        load_song(folder, sample_rate=RATE)


NAMES = {
    "drums": [
        "02_snare_rim01",
        "KICK",
        "ALT_HATS",
        "03_HiHat2",
        "DrumsRoom",
        "HH_m",
        "Bass Drum",
        "TOM 1_M81",
        "07_Room",
    ],
    "bass": ["BassDI", "UPRIGHT BASS - DI", "18_BassGuitar", "BassSynth"],
    "electric_guitars": ["ElecGtrDist2DT", "ELE GTR1 Dis-M80", "E GUITAR - AR-51"],
    "acoustic_guitars": ["AcousticGtr1Mic2", "AcGtr1", "NBATG - acoustic guitar DI"],
    "backing_vocals": ["BGVOX_ECHO", "17_BackingVox1", "Vocals-BV 2-M81"],
    "lead_vocals": ["LeadVoxDT1", "VOX_LEAD", "Lead Vox"],
    "synths": ["Synth01", "MINILOGUE_SYNTH_m"],
    "strings": ["Violins1A", "41_Srtings"],
    "woodwinds": ["13_BassClarinet", "Flute"],
    "brass": ["FrenchHorns", "Trombone A"],
    "fx": ["SFX01", "MICROCOSM_EFFECT"],
    "electric_piano": ["ElecPiano", "13_Rhodes"],
    "stylophone": ["Stylophone1", "Stylophone2"],
}


def test_names_are_understood() -> None:
    unknown = ["01_Default_preset", "02_Default_preset", "Audio 1", "42", "Theremin"]
    assert guess_subgroups([*unknown, *(name for names in NAMES.values() for name in names)]) == NAMES


def test_room_without_drums_is_a_room() -> None:
    assert guess_subgroups(["Room L", "Room R", "Piano"]) == {"room": ["Room L", "Room R"], "piano": ["Piano"]}


def test_guess_agrees_with_people(shared: Path) -> None:
    from benchmarks.subgroups import mean_scores

    even, odd = mean_scores(shared / "facts" / "mixing_secrets_subgroups.json")
    assert even.f1 > 0.94
    assert odd.f1 > 0.92


@pytest.mark.parametrize(
    ("mix", "tracks"),
    [
        ("mix.wav", "tracks"),
        ("Master.flac", "Stems"),
        ("Band_Song_MIX.wav", "Band_Song_STEMS"),
        ("anything.wav", "audio"),
        ("Song mix.wav", "."),
    ],
)
def test_init_finds_mix_and_tracks(tmp_path: Path, mix: str, tracks: str) -> None:
    folder = tmp_path / 'A "song"\x7f é'
    write(folder / mix, tone())
    for name in ("01_Kick", "02_Snare", "03_LeadVox"):
        write(folder / tracks / f"{name}.wav", tone())
    written = init_song(folder)
    assert written == folder / "song.toml"
    assert tomllib.loads(written.read_text(encoding="utf-8"))["name"] == folder.name
    with load_song(folder, sample_rate=RATE) as song:
        assert song.tracks == ("01_Kick", "02_Snare", "03_LeadVox")
        assert song.subgroups == {"drums": ("01_Kick", "02_Snare"), "lead_vocals": ("03_LeadVox",)}
        assert song.has_mix


def test_init_takes_folders_as_subgroups(tmp_path: Path) -> None:
    folder = song_folder(tmp_path)
    (folder / "tracks" / "Bus 1").mkdir()
    (folder / "tracks" / "vox.wav").rename(folder / "tracks" / "Bus 1" / "vox.wav")
    init_song(folder)
    assert read_layout(folder).subgroups == {"Bus 1": ("vox",)}


def test_init_overwrites_only_when_asked(tmp_path: Path) -> None:
    folder = song_folder(tmp_path, "name = 'mine'")
    with pytest.raises(SongError, match=r"song.toml: exists already; edit it"):
        init_song(folder)
    assert read_layout(folder).name == "mine"
    init_song(folder, overwrite=True)
    assert read_layout(folder).subgroups == {"drums": ("kick", "snare"), "vocals": ("vox",)}


def _two_folders(folder: Path) -> None:
    (folder / "tracks").rename(folder / "stems")
    write(folder / "raw" / "a.wav", tone())


def _bad_track(folder: Path) -> None:
    (folder / "tracks" / "vox.wav").write_text("no audio")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "mix.wav").unlink(), "no mix; name it mix.wav"),
        (_double_mix, r"more than one mix \(mix.flac, mix.wav\); move"),
        (_no_tracks, "no tracks; put their files into .*tracks"),
        (_two_folders, r"several folders \(raw, stems\); call the right one 'tracks'"),
        (_bad_track, "vox.wav: cannot be read as audio"),
    ],
)
def test_init_refuses_and_writes_nothing(tmp_path: Path, spoil, message: str) -> None:
    folder = song_folder(tmp_path)
    spoil(folder)
    with pytest.raises(SongError, match=message):
        init_song(folder)
    assert not (folder / "song.toml").exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the administrator may write anywhere")
def test_init_in_a_folder_without_permission(tmp_path: Path) -> None:
    folder = song_folder(tmp_path)
    folder.chmod(0o500)
    with pytest.raises(OutputError, match=r"song.toml: cannot be written"):
        init_song(folder)


def test_arrays_get_the_same_checks_of_subgroups() -> None:
    with pytest.raises(SongError, match="here: subgroup 'd' names 'kik', no such track; did you mean 'kick'"):
        Song.from_arrays("here", {"kick": tone().T}, None, RATE, {"d": ["kik"]})


def test_origin_without_a_file_is_the_folder(tmp_path: Path) -> None:
    with pytest.raises(SongError, match=rf"^{tmp_path}: no mix"):
        parse_layout(tmp_path, {}, tmp_path)
