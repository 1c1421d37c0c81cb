"""MedleyDB 1 and 2: real songs with raw tracks, the stems that they were summed to, and the mix."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, final

from pydantic import BeforeValidator

from mixgraph.audio.song_file import Layout
from mixgraph.datasets.base import DATASETS, Dataset, Entry
from mixgraph.datasets.metadata import Metadata, existing, read_metadata
from mixgraph.datasets.names import folders, label, song_ids
from mixgraph.errors import SongError

PARTS = ("", "Audio", "V1", "V2")
"""Where song folders lie below the root: as the tools of MedleyDB expect them, or as its archives unpack."""
METADATA_VARIABLE = "MEDLEYDB_METADATA"


def _words(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value or "")


Instrument = Annotated[str, BeforeValidator(_words)]


class Raw(Metadata):
    """One raw track."""

    filename: str
    instrument: Instrument = ""


class Stem(Metadata):
    """A stem: the sum of processed raw tracks."""

    instrument: Instrument = ""
    raw: dict[str, Raw]


class MedleySong(Metadata):
    """`X_METADATA.yaml`."""

    artist: str
    title: str
    has_bleed: bool = False
    excerpt: bool = False
    mix_filename: str
    raw_dir: str
    stems: dict[str, Stem]


@final
@DATASETS.register("medleydb")
class MedleyDB(Dataset):
    """Raw tracks are the dry tracks; the stems that they belong to are the subgroups.

    Tracks and subgroups are called by their numbers and instruments: `02_09_kick_drum` of `02_drum_set` is
    `X_RAW_02_09.wav`.
    """

    title = "MedleyDB 1 and 2"
    citation = (
        "R. Bittner et al., MedleyDB: A Multitrack Dataset for Annotation-Intensive MIR Research, ISMIR 2014;"
        " R. Bittner et al., MedleyDB 2.0: New Data and a System for Sustainable Data Collection, ISMIR 2016"
    )
    licence = "CC BY-NC-SA 4.0"
    url = "https://medleydb.weebly.com"
    tree = """\
ROOT/
  Audio/                   or V1/, V2/, or the song folders in ROOT itself
    X/
      X_MIX.wav
      X_RAW/X_RAW_01_02.wav ...
      X_METADATA.yaml      or in ROOT/Metadata, ROOT/../Metadata, or where MEDLEYDB_METADATA says"""
    how_to_get = (
        "Ask for the audio at https://zenodo.org/records/1649325 and https://zenodo.org/records/1715175;"
        " the metadata is at https://github.com/marl/medleydb, in medleydb/data/Metadata."
    )
    has_mix = True
    variable = "MEDLEYDB_PATH"

    def find(self) -> dict[str, Path]:
        """Folders that hold a mix, raw tracks or metadata of their own name."""
        parts = [self.root / part for part in PARTS]
        return song_ids(path for part in parts for path in folders(part) if _is_song(path))

    def read(self, song: str, place: Path) -> Entry:
        """What the metadata says; every file that it names must be there."""
        file = self._metadata_file(place)
        said = read_metadata(file, MedleySong)
        tracks: dict[str, Path] = {}
        subgroups: dict[str, tuple[str, ...]] = {}
        for number, stem in sorted(said.stems.items()):
            raws = {
                _name(number, raw_number, raw.instrument): existing(place / said.raw_dir / raw.filename, file)
                for raw_number, raw in sorted(stem.raw.items())
            }
            tracks |= raws
            if raws:
                subgroups[_name(number, stem.instrument)] = tuple(raws)
        mix = existing(place / said.mix_filename, file)
        warnings = {
            "its tracks bleed into each other": said.has_bleed,
            "an excerpt of a song": said.excerpt,
        }
        return Entry(
            id=song,
            title=said.title,
            artist=said.artist,
            licence=self.licence,
            layout=Layout(song, subgroups, tracks, {}, mix, place, (file, mix, *tracks.values())),
            remarks=tuple(warning for warning, holds in warnings.items() if holds),
        )

    def _metadata_file(self, place: Path) -> Path:
        name = f"{place.name}_METADATA.yaml"
        for folder in self._metadata_folders(place):
            if (folder / name).is_file():
                return folder / name
        raise SongError(
            f"{place}: no {name} there, nor in {self.root / 'Metadata'};"
            f" get it from https://github.com/marl/medleydb, or set {METADATA_VARIABLE} to its folder"
        )

    def _metadata_folders(self, place: Path) -> Iterator[Path]:
        yield place
        yield self.root / "Metadata"
        yield self.root.absolute().parent / "Metadata"
        if elsewhere := os.environ.get(METADATA_VARIABLE):
            yield Path(elsewhere)


def _is_song(folder: Path) -> bool:
    names = (f"{folder.name}_{part}" for part in ("RAW", "MIX.wav", "METADATA.yaml"))
    return any((folder / name).exists() for name in names)


def _name(*parts: str) -> str:
    """S02, R09 and "kick drum" become `02_09_kick_drum`."""
    *numbers, instrument = parts
    return "_".join(filter(None, [*(number.lstrip("SR") for number in numbers), label(instrument)]))
