"""A first song.toml for a folder of audio: its mix, its tracks, and subgroups guessed from the words of their names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from mixgraph.audio.files import probe
from mixgraph.audio.song_file import FILE_NAME, Layout, audio_files, parse_layout
from mixgraph.audio.song_toml import write_song_toml
from mixgraph.errors import ConfigError, SongError
from mixgraph.files import read_toml

FAMILIES = {
    "drums": """drum drums drumkit kit kick kicks kik kck bd snare snares snr sidestick rim rimshot hihat hihats hat
        hats hh tom toms cymbal cymbals crash ride splash overhead overheads oh clap claps handclaps snap snaps
        tambourine tambourines tamborine tamb shaker shakers brushes sticks cajon cowbell woodblock vibraslap chimes
        click clicks cymb cymbs ohs china floortom racktom bassdrum kickdrum""",
    "percussion": """percussion percussions perc bongo bongos conga congas djembe tabla taiko timpani timbales maracas
        guiro cabasa triangle claves darbuka udu cuica surdo gong""",
    "bass": "bass upright sub subbass",
    "guitars": "guitar guitars gtr gtrs git slide pedalsteel",
    "electric_guitars": "elecgtr elecgtrs egtr eg",
    "acoustic_guitars": "acgtr agtr ag",
    "banjo": "banjo",
    "mandolin": "mandolin mandola",
    "ukulele": "ukulele ukelele uke",
    "piano": "piano pianos pno",
    "electric_piano": "rhodes wurlitzer wurli wurly epiano clavinet clav",
    "organ": "organ organs hammond leslie",
    "accordion": "accordion accordian",
    "keys": "keys key keyboard keyboards mellotron celesta harpsichord",
    "synths": "synth synths syn synthesizer synthesiser arp pad pads moog juno minilogue",
    "strings": "string strings violin violins vln viola violas vla cello cellos celli fiddle contrabass basses",
    "harp": "harp",
    "mallets": "marimba vibraphone vibes xylophone glockenspiel glock bells kalimba",
    "brass": "brass horn horns trumpet trumpets tpt trombone trombones tbn tuba cornet flugelhorn",
    "woodwinds": """woodwind woodwinds flute flutes piccolo oboe oboes clarinet clarinets bassoon bassoons recorder
        whistle""",
    "saxophones": "sax saxes saxophone saxophones",
    "choir": "choir chorus",
    "vocals": """vox voxes vocal vocals voc vocs voice voices rap whisper whispers scream screams shout shouts singer
        singers vocalist vocalists rapper rappers speaker speakers""",
    "lead_vocals": "leadvox leadvocal ldvox lv",
    "backing_vocals": "bgvox bvox backvox bv bvs bgv bgvs harmony harmonies harm",
}
"""Group → words; the first word of a name that is in the table decides. `read_words` reads more from a file."""

WEAK_FAMILIES = {
    "drums": "loop loops beat beats break breaks fill fills scratch scratches",
    "fx": "fx sfx effect effects noise riser sweep",
    "room": "room rooms ambience ambient amb",
}
"""Group → words that decide only where no word of `FAMILIES` is in the name: "SnareFX" is a snare."""

REFINEMENTS = {
    ("guitars", "electric_guitars"): "elec electric ele e dist distorted clean crunch amp",
    ("guitars", "acoustic_guitars"): "acoustic acous acou aco ac nylon",
    ("guitars", "bass"): "bass",
    ("vocals", "backing_vocals"): "backing back background bg harmony harm bv",
    ("vocals", "lead_vocals"): "lead main ld",
    ("brass", "woodwinds"): "english",
    ("bass", "drums"): "drum",
    ("bass", "woodwinds"): "clarinet flute",
    ("bass", "saxophones"): "sax saxophone",
    ("piano", "electric_piano"): "elec electric e ep",
}
"""Group, and group that it becomes → the words, anywhere in the name, that turn it."""

FILLERS = """audio track trk channel input sample samples default preset untitled bounce stem inst take part mic di main
    pair solo stereo mono l r m"""
"""Words that say nothing about the instrument."""

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+")
"""A word ends at a capital, a digit, an underscore or a sign: "02_ElecGtrDist2DT" is elec, gtr, dist, dt."""

GROUP_OF = {word: group for group, words in FAMILIES.items() for word in words.split()}
WEAK_GROUP_OF = {word: group for group, words in WEAK_FAMILIES.items() for word in words.split()}
REFINED = {(group, word): turned for (group, turned), words in REFINEMENTS.items() for word in words.split()}
LONG_WORDS = [word for word in GROUP_OF if len(word) > 4]

MIX_NAME = re.compile(r"(.*[_ -])?(mix|master)", re.IGNORECASE)


def read_words(file: Path) -> dict[str, str]:
    """Words and their groups from a TOML file of `group = ["word", ...]`, for `guess_subgroups`.

    Raises `ConfigError` naming the file and the word or key that is not accepted.
    """
    groups = read_toml(file, "give the path of a TOML file of groups and their words")
    owner: dict[str, str] = {}
    for group, words in groups.items():
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise ConfigError(f"{file}: {group} = {words!r} was read; make it a list of words in quotes")
        for word in words:
            if WORD.findall(word) != [word]:
                raise ConfigError(f"{file}: '{word}' is no single word: names are cut at capitals, digits and signs")
            if owner.setdefault(word.casefold(), group) != group:
                raise ConfigError(f"{file}: '{word}' is in '{owner[word.casefold()]}' and in '{group}'; keep it once")
    return owner


def guess_subgroups(names: Iterable[str], words: Mapping[str, str] | None = None) -> dict[str, list[str]]:
    """Groups tracks by what their names say, in order of appearance; names that say nothing are in no group.

    Unknown words group too where several tracks share them: "Stylophone1" and "Stylophone2". `words`, each with its
    group, come before our own, whatever else a name says.
    """
    words = words or {}
    guesses = {name: guess_group(words_of(name), words) for name in names}
    known = {*FAMILIES, *WEAK_FAMILIES, *words.values()}
    owners = Counter(guesses.values())
    groups: dict[str, list[str]] = {}
    for name, group in guesses.items():
        # Microphones in the room of a recording with drums are there for the drums.
        if group == "room" and "drums" in owners:
            group = "drums"
        if group in known or (group and owners[group] > 1):
            groups.setdefault(group, []).append(name)
    return groups


def words_of(name: str) -> list[str]:
    """The words of a track's name, lower case: "02_ElecGtrDist2DT" is elec, gtr, dist, dt."""
    return [word.casefold() for word in WORD.findall(name)]


def guess_group(words: Sequence[str], extra: Mapping[str, str]) -> str:
    """The group that the words of one name suggest; without a known word, those that are no fillers, joined."""
    if group := next((extra[word] for word in words if word in extra), None):
        return group
    for table in (GROUP_OF, WEAK_GROUP_OF):
        if group := next((table[word] for word in words if word in table), None):
            return next((REFINED[group, word] for word in words if (group, word) in REFINED), group)
    for word in words:
        # Slips of the hand: "Srtings".
        if len(word) > 4 and (close := get_close_matches(word, LONG_WORDS, n=1, cutoff=0.85)):
            return GROUP_OF[close[0]]
    return "_".join(word for word in words if word not in FILLERS.split())


@dataclass(frozen=True)
class Proposal:
    """A song.toml that is not written yet: what it says beside the subgroups, and the files with their roles."""

    settings: dict[str, str]
    layout: Layout


def propose_song(folder: Path | str, words: Mapping[str, str] | None = None) -> Proposal:
    """What `init_song` would write; subgroups are sub-folders of tracks, else guessed from names and `words`.

    The mix is `mix.*`, `master.*`, `*_MIX.*` or the only audio file beside a folder of audio. Every header is read, so
    that what is proposed loads. Raises `SongError` with the cure.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise SongError(f"{folder}: no such song folder; check the path")
    mix = _find_mix(folder)
    settings = {"name": folder.resolve().name, "mix": mix.name, "tracks": _find_tracks(folder, mix)}
    layout = parse_layout(folder, settings, folder)
    for file in layout.files:
        probe(file)
    guess = {group: tuple(members) for group, members in guess_subgroups(layout.tracks, words).items()}
    return Proposal(settings, replace(layout, subgroups=layout.subgroups or guess))


def init_song(folder: Path | str, *, overwrite: bool = False, words: Mapping[str, str] | None = None) -> Path:
    """Writes song.toml for a folder as `propose_song` says, and returns its path; raises `OutputError` too."""
    path = Path(folder) / FILE_NAME
    if path.exists() and not overwrite:
        raise SongError(f"{path}: exists already; edit it, or ask to overwrite it")
    proposal = propose_song(folder, words)
    return write_song_toml(Path(folder), proposal.settings | {"subgroups": proposal.layout.subgroups})


def _find_mix(folder: Path) -> Path:
    beside = audio_files(folder, deep=False)
    named = [file for file in beside if MIX_NAME.fullmatch(file.stem)]
    if len(named) > 1:
        names = ", ".join(file.name for file in named)
        raise SongError(f"{folder}: more than one mix ({names}); move all but one away")
    if len(named or beside) != 1:
        raise SongError(f"{folder}: no mix; name it mix.wav or mix.flac and put it there")
    return (named or beside)[0]


def _find_tracks(folder: Path, mix: Path) -> str:
    """The folder `tracks`, else the only one with audio in it, else the song folder itself."""
    folders = [path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")]
    candidates = [path.name for path in folders if audio_files(path)]
    found = [name for name in candidates if name.casefold() == "tracks"] or candidates
    if len(found) == 1:
        return found[0]
    if candidates:
        raise SongError(f"{folder}: tracks in several folders ({', '.join(candidates)}); call the right one 'tracks'")
    if audio_files(folder, deep=False) == [mix]:
        raise SongError(f"{folder}: no tracks; put their files into {folder / 'tracks'}")
    return "."
