"""Names that come from outside: of songs, groups and files. What is odd is refused; nothing is mended in silence."""

from __future__ import annotations

import re
from collections.abc import Collection

from mixgraph.audio.files import READABLE
from mixgraph.errors import SongError

FORBIDDEN = re.compile(r'[\x00-\x1f\x7f\ud800-\udfff/\\:*?"<>|]')
"""Signs that one of Windows, macOS and Linux refuses in a file name or reads as something else."""

LONGEST = 120
"""Characters; in UTF-8 still shorter than what every file system takes."""


def check_name(name: str, what: str) -> str:
    """The name, if it can be the name of one file or folder everywhere; else raises `SongError`."""
    if not name.strip() or name.startswith(".") or name != name.strip():
        raise SongError(f"{what} {name!r}: names are not empty and begin with neither a dot nor a space; rename it")
    if len(name) > LONGEST:
        raise SongError(f"{what} '{name[:30]}...': is longer than {LONGEST} characters; rename it")
    if bad := FORBIDDEN.search(name):
        raise SongError(f"{what} {name!r}: has the sign {bad[0]!r} in its name; rename it without")
    return name


def check_audio_name(name: str) -> str:
    """The name, if it is that of an audio file which can be read; else raises `SongError`."""
    check_name(name, "the file")
    if not name.lower().endswith(READABLE):
        raise SongError(f"the file '{name}': is not one of {', '.join(READABLE)}; export it as one of these")
    return name


def folder_name(title: str, taken: Collection[str]) -> str:
    """A plain folder name for a title, unlike those `taken` (also where upper and lower case are the same)."""
    words = re.findall(r"\w+", title)
    base = "-".join(words)[:60].strip("-_") or "song"
    used = {name.casefold() for name in taken}
    name, number = base, 1
    while name.casefold() in used:
        number += 1
        name = f"{base}-{number}"
    return name
