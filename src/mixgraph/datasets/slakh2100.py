"""Slakh2100: MIDI files played by sampled instruments; its mix is their plain sum."""

from __future__ import annotations

from pathlib import Path
from typing import final

from mixgraph.audio.song_file import Layout
from mixgraph.datasets.base import DATASETS, Dataset, Entry
from mixgraph.datasets.metadata import Metadata, existing, read_metadata
from mixgraph.datasets.names import label, song_ids

FILE = "metadata.yaml"
PARTS = ("", "train", "validation", "test", "omitted")


class SlakhStem(Metadata):
    """One instrument; a few were not rendered."""

    inst_class: str
    midi_program_name: str = ""
    audio_rendered: bool


class SlakhSong(Metadata):
    """`metadata.yaml`."""

    stems: dict[str, SlakhStem]


@final
@DATASETS.register("slakh2100")
class Slakh2100(Dataset):
    """Tracks are called by number and MIDI program, `S03_electric_bass`; classes of instruments are the subgroups."""

    title = "Slakh2100"
    citation = (
        "E. Manilow et al., Cutting Music Source Separation Some Slakh: A Dataset to Study the Impact of Training Data"
        " Quality and Quantity, WASPAA 2019"
    )
    licence = "CC BY 4.0"
    url = "http://www.slakh.com"
    tree = """\
ROOT/
  train/  validation/  test/  omitted/        or the song folders in ROOT itself
    Track00001/
      metadata.yaml
      stems/S01.flac ...                      or .wav"""
    how_to_get = "Download slakh2100_flac_redux.tar.gz from https://zenodo.org/records/4599666, and unpack it."
    has_mix = False
    variable = "SLAKH2100_PATH"

    def find(self) -> dict[str, Path]:
        """Folders called Track and a number."""
        found = (path for part in PARTS for path in sorted((self.root / part).glob("Track[0-9]*")))
        return song_ids(path for path in found if path.is_dir())

    def read(self, song: str, place: Path) -> Entry:
        """What metadata.yaml says; every stem that was rendered must be there."""
        file = place / FILE
        tracks: dict[str, Path] = {}
        subgroups: dict[str, tuple[str, ...]] = {}
        for number, stem in sorted(read_metadata(file, SlakhSong).stems.items()):
            if stem.audio_rendered:
                name = "_".join(filter(None, [number, label(stem.midi_program_name)]))
                as_wav = place / "stems" / f"{number}.wav"
                tracks[name] = as_wav if as_wav.is_file() else existing(as_wav.with_suffix(".flac"), file)
                subgroups[stem.inst_class] = (*subgroups.get(stem.inst_class, ()), name)
        return Entry(
            id=song,
            title=song,
            artist="",
            licence=self.licence,
            layout=Layout(song, subgroups, tracks, folder=place, files=(file, *tracks.values())),
            remarks=("omitted from the redux version, as a duplicate",) if place.parent.name == "omitted" else (),
        )
