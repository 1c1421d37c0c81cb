"""Names of songs and tracks that work as names of files and nodes, made of what datasets call them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path

from mixgraph.errors import SongError

UNSAFE = re.compile(r"[^\w-]+")


def safe(text: str) -> str:
    """Letters, digits, underscores and hyphens only: "Promises & Lies" becomes `Promises_Lies`."""
    return UNSAFE.sub("_", unicodedata.normalize("NFC", text)).strip("_")


def song_ids(places: Iterable[Path], name: Callable[[Path], str] = lambda place: place.name) -> dict[str, Path]:
    """Places of songs by their id; two that share one (in any case) raise `SongError`."""
    found: dict[str, Path] = {}
    folded: dict[str, Path] = {}
    for place in places:
        song = safe(name(place)) or "song"
        if other := folded.get(song.casefold()):
            raise SongError(f"{place}: has the id '{song}' like {other}; rename or remove one of them")
        found[song] = folded[song.casefold()] = place
    return found


def folders(root: Path) -> list[Path]:
    """Folders right below `root`, hidden ones left out; none where `root` is no folder."""
    if not root.is_dir():
        return []
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))


def label(text: str) -> str:
    """A short name from a description: "brass (trumpet, french horn)" becomes `brass`."""
    return safe(re.split(r"[(,]", text)[0].lower())


def numbered(names: Iterable[str]) -> list[str]:
    """The names, with `_2`, `_3` behind those that came before."""
    given: list[str] = []
    for name in names:
        copies = (name if number == 1 else f"{name}_{number}" for number in range(1, len(given) + 2))
        given.append(next(copy for copy in copies if copy not in given))
    return given
