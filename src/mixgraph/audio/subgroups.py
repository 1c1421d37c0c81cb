"""A first song.toml for a folder of audio: its mix, its tracks, and subgroups guessed from the words of their names."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from mixgraph.audio.files import probe
from mixgraph.audio.instruments import FAMILIES, FILLERS, REFINEMENTS, WEAK_FAMILIES
from mixgraph.audio.song_file import FILE_NAME, audio_files, parse_layout
from mixgraph.errors import SongError
from mixgraph.files import write_bytes

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+")
"""A word ends at a capital, a digit, an underscore or a sign: "02_ElecGtrDist2DT" is elec, gtr, dist, dt."""

MIX_NAME = re.compile(r"(.*[_ -])?mix|(.*[_ -])?master", re.IGNORECASE)


def _by_word(table: dict[str, str]) -> dict[str, str]:
    return {word: group for group, words in table.items() for word in words.split()}


GROUP_OF = _by_word(FAMILIES)
WEAK_GROUP_OF = _by_word(WEAK_FAMILIES)
NO_GROUP = frozenset(FILLERS.split())
LONG_WORDS = [word for word in GROUP_OF if len(word) > 4]
KNOWN_GROUPS = {*FAMILIES, *WEAK_FAMILIES, *REFINEMENTS}
REFINED = {group: _by_word(table) for group, table in REFINEMENTS.items()}


def guess_subgroups(names: Iterable[str]) -> dict[str, list[str]]:
    """Groups tracks by what their names say, in order of appearance; names that say nothing are in no group.

    Unknown words group too where several tracks share them: "Stylophone1" and "Stylophone2".
    """
    names = list(names)
    words = {name: WORD.findall(name) for name in names}
    words = {name: [word.casefold() for word in found] for name, found in words.items()}
    guesses = {name: _known_group(found) or _own_group(found) for name, found in words.items()}
    owners = Counter(guesses.values())
    groups: dict[str, list[str]] = {}
    for name, group in guesses.items():
        # Microphones in the room of a recording with drums are there for the drums.
        if group == "room" and "drums" in owners:
            group = "drums"
        if group and (group in KNOWN_GROUPS or owners[group] > 1):
            groups.setdefault(group, []).append(name)
    return groups


def _known_group(words: list[str]) -> str | None:
    for table in (GROUP_OF, WEAK_GROUP_OF):
        for word in words:
            if word in table:
                refined = REFINED.get(table[word], {})
                return next((refined[other] for other in words if other in refined), table[word])
    # Slips of the hand: "Srtings".
    close = (
        match for word in words if len(word) > 4 for match in get_close_matches(word, LONG_WORDS, n=1, cutoff=0.85)
    )
    return next((GROUP_OF[word] for word in close), None)


def _own_group(words: list[str]) -> str | None:
    return "_".join(word for word in words if word not in NO_GROUP) or None


def init_song(folder: Path | str, *, overwrite: bool = False) -> Path:
    """Writes song.toml for a folder and returns its path; subgroups are sub-folders of tracks, else guessed from names.

    The mix is `mix.*`, `master.*`, `*_MIX.*` or the only audio file beside a folder of audio. Every header is read
    first, so that what was written loads. Raises `SongError` with the cure, and `OutputError`.
    """
    folder = Path(folder)
    path = folder / FILE_NAME
    if not folder.is_dir():
        raise SongError(f"{folder}: no such song folder; check the path")
    if path.exists() and not overwrite:
        raise SongError(f"{path}: exists already; edit it, or ask to overwrite it")
    mix = _find_mix(folder)
    settings = {"name": folder.resolve().name, "mix": mix.name, "tracks": _find_tracks(folder, mix)}
    layout = parse_layout(folder, settings, folder)
    for file in (mix, *layout.tracks.values()):
        probe(file)
    subgroups = layout.subgroups or guess_subgroups(layout.tracks)
    write_bytes(path, _to_toml({**settings, "subgroups": subgroups}).encode())
    return path


def _find_mix(folder: Path) -> Path:
    beside = audio_files(folder, deep=False)
    named = [file for file in beside if MIX_NAME.fullmatch(file.stem)]
    found = named or (beside if len(beside) == 1 else [])
    if len(found) > 1:
        names = ", ".join(file.name for file in found)
        raise SongError(f"{folder}: more than one mix ({names}); move all but one away")
    if not found:
        raise SongError(f"{folder}: no mix; name it mix.wav or mix.flac and put it there")
    return found[0]


def _find_tracks(folder: Path, mix: Path) -> str:
    """The folder `tracks`, else the only one with audio in it, else the song folder itself."""
    folders = [path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")]
    candidates = [path.name for path in folders if audio_files(path)]
    named = [name for name in candidates if name.casefold() == "tracks"]
    if len(named or candidates) == 1:
        return (named or candidates)[0]
    if candidates:
        raise SongError(f"{folder}: tracks in several folders ({', '.join(candidates)}); call the right one 'tracks'")
    if audio_files(folder, deep=False) == [mix]:
        raise SongError(f"{folder}: no tracks; put their files into {folder / 'tracks'}")
    return "."


def _to_toml(settings: Mapping[str, Any]) -> str:
    lines = [f"{key} = {_quote(value)}" for key, value in settings.items() if isinstance(value, str)]
    groups = settings["subgroups"]
    lines += ["", "[subgroups]"]
    lines += [f"{_quote(group)} = [{', '.join(map(_quote, members))}]" for group, members in groups.items()]
    return "\n".join(lines) + "\n"


def _quote(text: str) -> str:
    # JSON and TOML strings differ in one character: TOML wants DEL escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
