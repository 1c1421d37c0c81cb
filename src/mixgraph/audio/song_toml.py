"""Writes song.toml, or offsets into one, where everything else stays as it is written there, comments and all."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from mixgraph.audio.files import probe
from mixgraph.audio.song_file import FILE_NAME, Layout
from mixgraph.errors import SongError
from mixgraph.files import write_bytes


def write_song_toml(folder: Path, settings: Mapping[str, Any]) -> Path:
    """Writes a song's settings, plain values first and then its tables; returns the file. Raises `OutputError`."""
    write_bytes(folder / FILE_NAME, tomlkit.dumps(settings).encode())
    return folder / FILE_NAME


def write_offsets(path: Path, layout: Layout) -> None:
    """Makes the offsets of a song.toml those of the layout, in samples of each track's own file.

    Tracks that start with the mix are left out unless they are there already. Raises `SongError` or `OutputError`.
    """
    try:
        document = tomlkit.parse(path.read_text(encoding="utf-8"))
    except (TOMLKitError, ValueError) as error:
        raise SongError(f"{path}: not valid TOML ({error}); correct that place") from error
    except OSError as error:
        raise SongError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
    table: Any = document.setdefault("offsets", tomlkit.table())
    if not isinstance(table, MutableMapping):
        raise SongError(f"{path}: offsets = {table!r} was read; make it a table, [offsets]")
    # As in `read_layout`: macOS hands out decomposed accents.
    written = {unicodedata.normalize("NFC", name): name for name in table}
    for name, offset in layout.offsets.items():
        rate = probe(layout.tracks[name]).samplerate
        samples = offset.at(rate, rate)
        if samples or name in written:
            table[written.get(name, name)] = samples
    write_bytes(path, tomlkit.dumps(document).encode())
