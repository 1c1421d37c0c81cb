"""Mixing Secrets, the multitracks of Cambridge-MT: raw tracks of hundreds of songs, and mixes of many of them."""

from __future__ import annotations

from pathlib import Path
from typing import final

from mixgraph.audio.song_file import Layout, Offset, audio_files, check_subgroups
from mixgraph.datasets.base import DATASETS, Dataset, Entry
from mixgraph.datasets.metadata import Metadata, existing, read_metadata
from mixgraph.datasets.names import folders, song_ids
from mixgraph.errors import SongError

GROUP_FILES = ("subgroups", "correspondence")
ALIGNMENT_FILES = ("alignment",)
SUFFIXES = (".yaml", ".yml", ".json")


class Alignment(Metadata):
    """`alignment.yaml`: how much later than the mix the tracks start; negative: their heads are cut."""

    offset_seconds: float


@final
@DATASETS.register("mixing_secrets")
class MixingSecrets(Dataset):
    """A folder of raw tracks per song, beside a mix; only the tracks that the subgroup file names are used.

    Without a subgroup file all are, and subgroups are guessed from their names.
    """

    title = "Mixing Secrets (Cambridge-MT)"
    citation = (
        "M. Senior, 'Mixing Secrets' Free Multitrack Download Library; subgroups after S. Lee et al., Searching for"
        " Music Mixing Graphs: A Pruning Approach, DAFx 2024"
    )
    licence = "for educational purposes only, no commercial use; each song has its own terms"
    url = "https://cambridge-mt.com/ms/mtk"
    tree = """\
ROOT/
  Artist_Title/
    mix.wav                  or the only audio file there
    Artist_Title_Full/       whatever its name: the only folder with audio
      01_Kick.wav ...
    subgroups.yaml           or correspondence.yaml, or .json: {Drums: [01_Kick.wav, ...], ...}
    alignment.yaml           or .json: {offset_seconds: -1.25}: how much later than the mix the tracks start"""
    how_to_get = (
        "Download multitracks and mixes from https://cambridge-mt.com/ms/mtk, one folder per song; subgroup files"
        " (correspondence.yaml) are at https://github.com/sh-lee97/grafx-prune, in code/data/mixing_secrets/metadata."
    )
    has_mix = True
    variable = "MIXING_SECRETS_PATH"

    def find(self) -> dict[str, Path]:
        """Folders with audio in them or below."""
        found = (path for path in folders(self.root) if any(audio_files(path)))
        return song_ids(found, lambda path: path.name.removesuffix("_Full"))

    def read(self, song: str, place: Path) -> Entry:
        """Mix, tracks, subgroups and offset as the files beside each other say."""
        mix, root = _mix(place), _tracks_folder(place)
        group_file, alignment_file = _data_file(place, GROUP_FILES), _data_file(place, ALIGNMENT_FILES)
        raw = audio_files(root)
        remarks: list[str] = []
        if group_file:
            named = read_metadata(group_file, dict[str, list[str]])
            chosen = sorted({existing(root / name, group_file) for members in named.values() for name in members})
            if unused := len(set(raw) - set(chosen)):
                remarks.append(f"{group_file.name} leaves out {unused} of {len(raw)} files")
            stems = {group: [Path(name).stem for name in members] for group, members in named.items()}
        else:
            chosen, stems = raw, {}
        tracks = {path.stem: path for path in chosen}
        if len(tracks) < len(chosen):
            raise SongError(f"{group_file or root}: two tracks have the same name; rename one")
        subgroups = check_subgroups(stems, tracks, group_file)
        offsets: dict[str, Offset] = {}
        if alignment_file:
            later = Offset(seconds=read_metadata(alignment_file, Alignment).offset_seconds)
            offsets = dict.fromkeys(tracks, later)
        artist, _, title = song.partition("_")
        files = (path for path in (group_file, alignment_file, mix, *chosen) if path)
        entry = Entry(
            id=song,
            title=title or song,
            artist=artist if title else "",
            licence=self.licence,
            layout=Layout(song, subgroups, tracks, offsets, mix, place, tuple(files)),
            aligned=alignment_file is not None,
            remarks=tuple(remarks),
        )
        return entry if group_file else entry.regrouped()


def _data_file(place: Path, names: tuple[str, ...]) -> Path | None:
    """The first file with one of these names and a suffix that we read."""
    candidates = (place / f"{name}{suffix}" for name in names for suffix in SUFFIXES)
    return next((path for path in candidates if path.is_file()), None)


def _mix(place: Path) -> Path:
    beside = audio_files(place, deep=False)
    found = [path for path in beside if path.stem.casefold() == "mix"] or beside
    if len(found) != 1:
        what = "no mix" if not found else f"more than one mix ({', '.join(path.name for path in found)})"
        raise SongError(f"{place}: {what}; put the finished mix there as mix.wav")
    return found[0]


def _tracks_folder(place: Path) -> Path:
    found = [path for path in folders(place) if audio_files(path)]
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise SongError(f"{place}: one folder of raw tracks is expected there ({names} found); keep one")
    return found[0]
