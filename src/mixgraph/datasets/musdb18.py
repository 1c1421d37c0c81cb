"""MUSDB18 and MUSDB18-HQ: four stems per song, whose plain sum is what it calls the mixture."""

from __future__ import annotations

from pathlib import Path
from typing import final

from mixgraph.audio.song_file import Layout
from mixgraph.datasets.base import DATASETS, Dataset, Entry
from mixgraph.datasets.metadata import existing
from mixgraph.datasets.names import folders, song_ids
from mixgraph.datasets.stem_file import STEMS, SUFFIX, unpacked

SUBSETS = ("train", "test")


@final
@DATASETS.register("musdb18")
class Musdb18(Dataset):
    """WAV files of the HQ version, or compressed stem files, which are decoded into the cache when they are needed."""

    title = "MUSDB18 and MUSDB18-HQ"
    citation = "Z. Rafii et al., MUSDB18-HQ: an uncompressed version of MUSDB18, 2019, doi:10.5281/zenodo.3338373"
    licence = "non-commercial, for education and research only; each song has its own terms"
    url = "https://sigsep.github.io/datasets/musdb.html"
    tree = """\
ROOT/
  train/  test/
    Artist - Title/{drums,bass,other,vocals}.wav      HQ
    Artist - Title.stem.mp4                           compressed"""
    how_to_get = "Ask for it at https://zenodo.org/records/3338373 (HQ) or https://zenodo.org/records/1117372."
    has_mix = False
    variable = "MUSDB_PATH"

    def find(self) -> dict[str, Path]:
        """Folders and stem files; of a song that is there as both, the folder."""
        parts = [self.root / subset for subset in SUBSETS]
        packed = {path.name.removesuffix(SUFFIX): path for part in parts for path in part.glob(f"*{SUFFIX}")}
        plain = {path.name: path for part in parts for path in folders(part)}
        return song_ids((packed | plain).values(), lambda path: path.name.removesuffix(SUFFIX))

    def read(self, song: str, place: Path) -> Entry:
        """The four stems; none of them is processed further in the mixture, so there is no mix to explain."""
        if place.is_dir():
            tracks = {name: existing(place / f"{name}.wav", place) for name in STEMS}
            packed, files = None, tuple(tracks.values())
        else:
            tracks, packed = unpacked(place), place
            files = (place, *tracks.values())
        artist, _, title = place.name.removesuffix(SUFFIX).partition(" - ")
        return Entry(
            id=song,
            title=title or artist,
            artist=artist if title else "",
            licence=self.licence,
            layout=Layout(song, {}, tracks, folder=place if place.is_dir() else place.parent, files=files),
            packed=packed,
        )
