"""A folder of song folders in our own format."""

from __future__ import annotations

from pathlib import Path
from typing import final

from mixgraph.audio.song_file import FILE_NAME, read_layout
from mixgraph.datasets.base import DATASETS, Dataset, Entry
from mixgraph.datasets.names import folders, song_ids
from mixgraph.errors import ResultError, SongError
from mixgraph.files import read_json

PROVENANCE = "provenance.json"
LICENCES = ("LICENSE", "LICENCE", "LICENSE.txt", "LICENCE.txt", "LICENSE.md", "LICENCE.md")


@final
@DATASETS.register("folder")
class SongFolders(Dataset):
    """Every sub-folder with a `song.toml` or a folder `tracks` is a song; it may have no mix."""

    title = "Folder of songs"
    citation = "none: these are your songs"
    licence = "the first line of LICENSE in the song's folder or beside it, else unknown"
    url = "docs/songs.md"
    tree = """\
ROOT/
  LICENSE                what holds for all songs, if you know it
  My song/
    song.toml            optional: name, mix, tracks, subgroups, offsets
    mix.wav              optional: without it the tracks serve as dry sources
    tracks/kick.wav ...
    truth/               optional: the true graph, in the form of a result
    LICENSE              optional: what holds for this song"""
    how_to_get = "Put song folders into one folder; `mixgraph init` makes a song.toml for each."
    has_mix = True
    variable = "MIXGRAPH_SONGS"

    def find(self) -> dict[str, Path]:
        """Sub-folders that look like songs."""
        found = folders(self.root)
        return song_ids(path for path in found if (path / FILE_NAME).is_file() or (path / "tracks").is_dir())

    def read(self, song: str, place: Path) -> Entry:
        """What `song.toml` and the structure of the folder say."""
        layout = read_layout(place, require_mix=False)
        truth = place / "truth"
        return Entry(
            id=song,
            title=layout.name,
            artist=_artist(truth),
            licence=_licence(place) or _licence(self.root) or "unknown",
            layout=layout,
            truth=truth if truth.is_dir() else None,
        )


def _artist(truth: Path) -> str:
    """Who made the dry tracks of a synthetic song, as its truth says; empty where it is not known.

    Raises `SongError` where the truth is damaged.
    """
    file = truth / PROVENANCE
    if not file.is_file():
        return ""
    try:
        said = read_json(file, "remove the folder, or synthesise the song again").get("synthetic")
    except ResultError as error:
        raise SongError(str(error)) from None
    source = said.get("source") if isinstance(said, dict) else None
    return str(source.get("artist", "")) if isinstance(source, dict) else ""


def _licence(folder: Path) -> str:
    """The first line of the licence file in a folder; empty without one."""
    for file in (folder / name for name in LICENCES):
        if file.is_file():
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
            return next((line.strip("# ").strip()[:100] for line in lines if line.strip()), "")
    return ""
