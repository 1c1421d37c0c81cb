"""MoisesDB: 240 songs as stems of tracks, without a mix of its own."""

from __future__ import annotations

from pathlib import Path
from typing import final

from mixgraph.audio.song_file import Layout
from mixgraph.datasets.base import DATASETS, Dataset, Entry
from mixgraph.datasets.metadata import Metadata, existing, read_metadata
from mixgraph.datasets.names import label, numbered, safe, song_ids

FILE = "data.json"


class MoisesTrack(Metadata):
    """One recording."""

    id: str
    extension: str
    trackType: str  # noqa: N815 - the file's own key
    has_bleed: bool = False


class MoisesStem(Metadata):
    """A stem: recordings of one family; several stems may have one name."""

    stemName: str  # noqa: N815 - the file's own key
    tracks: list[MoisesTrack]


class MoisesSong(Metadata):
    """`data.json`."""

    song: str = "untitled"
    artist: str = ""
    stems: list[MoisesStem]


@final
@DATASETS.register("moisesdb")
class MoisesDB(Dataset):
    """Tracks are called by their types, with numbers where those repeat; stems are the subgroups."""

    title = "MoisesDB"
    citation = (
        "I. Pereira et al., Moisesdb: A dataset for source separation beyond 4-stems, ISMIR 2023, arXiv 2307.15913"
    )
    licence = "CC BY-NC-SA 4.0"
    url = "https://github.com/moises-ai/moises-db"
    tree = """\
ROOT/
  moisesdb_v0.1/             or the song folders in ROOT itself
    <uuid>/
      data.json
      <stemName>/<id>.wav ..."""
    how_to_get = "Ask for it at https://music.ai/research, and unpack it."
    has_mix = False
    variable = "MOISESDB_PATH"

    def find(self) -> dict[str, Path]:
        """Folders with a data.json, up to three levels down."""
        patterns = (f"{'*/' * depth}{FILE}" for depth in (1, 2, 3))
        return song_ids(file.parent for pattern in patterns for file in self.root.glob(pattern))

    def read(self, song: str, place: Path) -> Entry:
        """What data.json says; every file that it names must be there."""
        file = place / FILE
        said = read_metadata(file, MoisesSong)
        listed = [(stem.stemName, track) for stem in said.stems for track in stem.tracks]
        tracks: dict[str, Path] = {}
        subgroups: dict[str, tuple[str, ...]] = {}
        for name, (stem, track) in zip(numbered(label(track.trackType) for _, track in listed), listed, strict=True):
            tracks[name] = existing(place / stem / f"{track.id}.{track.extension}", file)
            subgroups[safe(stem)] = (*subgroups.get(safe(stem), ()), name)
        bleeding = sum(track.has_bleed for _, track in listed)
        return Entry(
            id=song,
            title=said.song,
            artist=said.artist,
            licence=self.licence,
            layout=Layout(song, subgroups, tracks, folder=place, files=(file, *tracks.values())),
            remarks=(f"{bleeding} of its tracks have bleed",) if bleeding else (),
        )
