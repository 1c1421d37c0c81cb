"""What a song folder says: song.toml, or the folder's own structure where there is none. No audio is read here."""

from __future__ import annotations

import math
import os
import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from mixgraph.audio.files import READABLE
from mixgraph.errors import SongError

FILE_NAME = "song.toml"
KEYS: dict[str, type] = {"name": str, "mix": str, "tracks": str, "subgroups": dict, "offsets": dict}
OFFSET = re.compile(r"\s*([+-]?\d+(?:\.\d*)?|[+-]?\.\d+)\s*(ms|s)\s*")


@dataclass(frozen=True)
class Offset:
    """How much later than the mix a track starts (negative: its head is cut): samples of its own file, or seconds."""

    samples: int = 0
    seconds: float = 0.0

    def at(self, file_rate: int, sample_rate: int) -> int:
        """The offset in samples at `sample_rate`."""
        return round((self.samples / file_rate + self.seconds) * sample_rate)


@dataclass(frozen=True)
class Layout:
    """A song's files, song.toml among them, and their roles; `mix` is None where none is needed and none was found."""

    name: str
    subgroups: dict[str, tuple[str, ...]]
    tracks: dict[str, Path] = field(default_factory=dict)
    offsets: dict[str, Offset] = field(default_factory=dict)
    mix: Path | None = None
    folder: Path | None = None
    files: tuple[Path, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON, paths relative to the folder (where they lead out of it, through `..`)."""
        folder = (self.folder or Path()).absolute()

        def relative(path: Path) -> str:
            return Path(os.path.relpath(path, folder)).as_posix()

        return {
            "name": self.name,
            "folder": str(folder),
            "mix": relative(self.mix) if self.mix else None,
            "tracks": {name: relative(path) for name, path in self.tracks.items()},
            "subgroups": {name: list(tracks) for name, tracks in self.subgroups.items()},
            "offsets": {name: asdict(offset) for name, offset in self.offsets.items()},
            "files": [relative(path) for path in self.files],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any], folder: Path | None = None) -> Layout:
        """Inverse of `to_json`, for files that may have moved to `folder`; raises `SongError` at what it cannot be."""
        try:
            root = folder or Path(document["folder"])
            mix = document["mix"]
            return cls(
                str(document["name"]),
                {name: tuple(tracks) for name, tracks in document["subgroups"].items()},
                {name: root / path for name, path in document["tracks"].items()},
                {name: Offset(**offset) for name, offset in document["offsets"].items()},
                root / mix if mix else None,
                root,
                tuple(root / path for path in document["files"]),
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise SongError(f"this is no list of a song's files ({error!r}); name the song folder") from None


def read_layout(folder: Path, *, require_mix: bool = True) -> Layout:
    """Reads song.toml, or the structure `mix.*` + `tracks/` without one; raises `SongError` with the cure."""
    if not folder.is_dir():
        raise SongError(f"{folder}: no such song folder; check the path")
    path = folder / FILE_NAME
    if not path.is_file():
        return parse_layout(folder, {}, folder, require_mix=require_mix)
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SongError(f"{path}: not valid TOML ({error}); correct that place") from error
    except OSError as error:
        raise SongError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
    return parse_layout(folder, settings, path, require_mix=require_mix)


def parse_layout(folder: Path, settings: Mapping[str, Any], origin: Path, *, require_mix: bool = True) -> Layout:
    """Checks settings against the folder; `origin` is what errors name: song.toml, or the folder without one."""
    for key, value in settings.items():
        if key not in KEYS:
            raise SongError(f"{origin}: unknown key '{key}'; {suggestion(key, KEYS, 'known')}")
        if not isinstance(value, KEYS[key]):
            kind = "a text in quotes" if KEYS[key] is str else f"a table, [{key}]"
            raise SongError(f"{origin}: {key} = {value!r} was read; make it {kind}")
    mix = _find_mix(folder, settings.get("mix"), origin, require_mix)
    root = folder / settings.get("tracks", "tracks")
    if not root.is_dir():
        raise SongError(f'{origin}: no tracks folder {root}; create it or set tracks = "..." in {FILE_NAME}')
    tracks = _name_tracks(root, [file for file in audio_files(root) if mix is None or not file.samefile(mix)])
    if not tracks:
        raise SongError(f"{root}: no tracks; put audio files there ({', '.join(READABLE)})")
    folders: dict[str, list[str]] = {}
    for name, file in tracks.items():
        if file.parent != root:
            folders.setdefault(file.relative_to(root).parts[0], []).append(name)
    subgroups = check_subgroups(settings.get("subgroups", folders), tracks, origin)
    offsets = {_composed(name): value for name, value in settings.get("offsets", {}).items()}
    offsets = {name: _parse_offset(name, value, tracks, origin) for name, value in offsets.items()}
    files = tuple(path for path in (origin, mix, *tracks.values()) if path and path.is_file())
    return Layout(settings.get("name", folder.resolve().name), subgroups, tracks, offsets, mix, folder, files)


def audio_files(root: Path, *, deep: bool = True) -> list[Path]:
    """Audio files in a folder (and below, if `deep`) in the order of their names; hidden ones are left out."""
    found = [path for path in root.glob("**/*" if deep else "*") if path.suffix.lower() in READABLE and path.is_file()]
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(root).parts))


def check_subgroups(groups: Mapping[str, Any], tracks: Collection[str], origin: object) -> dict[str, tuple[str, ...]]:
    """Subgroups without the empty ones; each must list tracks that exist and that no other subgroup has."""
    actual = {_composed(name): name for name in tracks}
    checked: dict[str, tuple[str, ...]] = {}
    owner: dict[str, str] = {}
    for group, members in groups.items():
        if not isinstance(members, list | tuple) or not all(isinstance(member, str) for member in members):
            raise SongError(f'{origin}: subgroup \'{group}\' must be a list of track names, such as ["kick", "snare"]')
        for name in map(_composed, members):
            if name not in actual:
                cure = suggestion(name, tracks, "tracks")
                raise SongError(f"{origin}: subgroup '{group}' names '{name}', no such track; {cure}")
            if name in owner:
                places = f"in '{owner[name]}' and in '{group}'" if owner[name] != group else f"twice in '{group}'"
                raise SongError(f"{origin}: track '{name}' is {places}; keep it once")
            owner[name] = group
            checked[group] = (*checked.get(group, ()), actual[name])
    return checked


def suggestion(wrong: str, accepted: Collection[str], label: str) -> str:
    """The question "did you mean X?" where a name comes close, else the accepted names (the first dozen)."""
    folded = {name.casefold(): name for name in accepted}
    close = get_close_matches(wrong, accepted) or [folded[name] for name in get_close_matches(wrong.casefold(), folded)]
    if close:
        return f"did you mean {' or '.join(map(repr, close))}?"
    return f"{label}: {', '.join(list(accepted)[:12])}{', ...' if len(accepted) > 12 else ''}"


def _composed(name: str) -> str:
    """macOS hands out decomposed accents, keyboards composed ones; they must be the same name."""
    return unicodedata.normalize("NFC", name)


def _find_mix(folder: Path, named: str | None, origin: Path, required: bool) -> Path | None:
    beside = audio_files(folder, deep=False)
    if named is not None:
        if required and not (folder / named).is_file():
            cure = suggestion(named, [file.name for file in beside], "audio there") if beside else "put it there"
            raise SongError(f"{origin}: the mix '{named}' does not exist in {folder}; {cure}")
        return folder / named if (folder / named).is_file() else None
    found = [file for file in beside if file.stem.casefold() == "mix"]
    if len(found) > 1:
        names = ", ".join(file.name for file in found)
        raise SongError(f'{folder}: more than one mix ({names}); keep one or set mix = "..." in {FILE_NAME}')
    if not found and required:
        raise SongError(f'{folder}: no mix; add mix.wav or mix.flac, or set mix = "..." in {FILE_NAME}')
    return found[0] if found else None


def _name_tracks(root: Path, files: Collection[Path]) -> dict[str, Path]:
    """Names tracks by their stems, with the sub-folders in front where two stems are the same."""
    shared = Counter(file.stem for file in files)
    tracks: dict[str, Path] = {}
    for file in files:
        folders = file.relative_to(root).parts[:-1] if shared[file.stem] > 1 else ()
        name = _composed("_".join([*folders, file.stem]))
        if name in tracks:
            raise SongError(f"{file}: is called '{name}' like {tracks[name]}; rename or remove one of them")
        tracks[name] = file
    return tracks


def _parse_offset(name: str, value: Any, tracks: Mapping[str, Path], origin: Path) -> Offset:
    if name not in tracks:
        raise SongError(f"{origin}: offset of '{name}', no such track; {suggestion(name, tracks, 'tracks')}")
    if isinstance(value, int) and not isinstance(value, bool):
        return Offset(samples=value)
    if isinstance(value, float) and math.isfinite(value):
        return Offset(seconds=value)
    match = OFFSET.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        cure = 'write samples as 2205, seconds as 0.05 or "0.05 s" or "50 ms"'
        raise SongError(f"{origin}: offset of '{name}' is {value!r}; {cure}")
    return Offset(seconds=float(match[1]) * (0.001 if match[2] == "ms" else 1.0))
