"""What a dataset is: a folder of songs in a layout of its own, and what has to be said of it."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal, final

from mixgraph.audio.song_file import Layout, suggestion
from mixgraph.audio.subgroups import guess_subgroups
from mixgraph.errors import SongError
from mixgraph.registry import Registry


@final
@dataclass(frozen=True)
class Entry:
    """One song of a dataset: where its files are, and what is known of it before any audio is read.

    `id` is a file name without a suffix, unique in the dataset; `artist` is empty where nothing says who it is.
    `layout.mix` is None where there is no real mix of the dry tracks. `aligned` says whether tracks and mix start
    together. `truth` is the folder of the true mixing graph, in the form of a result, where the mix is known.
    `grouping` says whether the dataset gives the subgroups or we guessed them; `remarks` are its own warnings.
    """

    id: str
    title: str
    artist: str
    licence: str
    layout: Layout
    aligned: bool = True
    truth: Path | None = None
    grouping: Literal["given", "guessed"] = "given"
    remarks: tuple[str, ...] = ()
    packed: Path | None = None
    """The file that holds all tracks, where they do not lie on disk one by one: see `prepare`."""

    def prepare(self) -> None:
        """Makes the files of `layout.tracks` where they are still packed; call it before audio is read.

        Raises `SongError` where they cannot be decoded, `OutputError` where they cannot be written.
        """
        if self.packed and not all(path.is_file() for path in self.layout.tracks.values()):
            from mixgraph.datasets.stem_file import unpack

            unpack(self.packed, self.layout.tracks)

    def regrouped(self, words: Mapping[str, str] | None = None) -> Entry:
        """The same song with subgroups guessed from its tracks' names; `words` as in `guess_subgroups`."""
        guess = guess_subgroups(self.layout.tracks, words)
        groups = {group: tuple(members) for group, members in guess.items()}
        return replace(self, layout=replace(self.layout, subgroups=groups), grouping="guessed")


class Dataset(ABC):
    """One collection of multitracks on disk. Subclasses are registered in `DATASETS`, one file each."""

    title: ClassVar[str]
    citation: ClassVar[str]
    licence: ClassVar[str]
    url: ClassVar[str]
    tree: ClassVar[str]
    """The layout on disk, drawn as people draw folders."""
    how_to_get: ClassVar[str]
    has_mix: ClassVar[bool]
    """Whether it holds real mixes of its dry tracks; where not, it serves as dry tracks for mixes that we make."""
    variable: ClassVar[str]
    """Environment variable that names its root where no path is given."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @abstractmethod
    def find(self) -> dict[str, Path]:
        """The folder or file of each song by its id; `names.song_ids` makes it of a list of them.

        Looks at the names of folders and files only. Raises `SongError` where two songs would have one id.
        """

    @abstractmethod
    def read(self, song: str, place: Path) -> Entry:
        """The song with this id at that place; reads metadata and no audio. Raises `SongError` naming the file."""

    @final
    @cached_property
    def songs(self) -> dict[str, Path]:
        """The folder or file of each song by its id, in the order of ids."""
        return dict(sorted(self.find().items()))

    @final
    def entry(self, song: str) -> Entry:
        """The song with this id. Raises `SongError` where there is none, or naming its file at fault."""
        if song not in self.songs:
            raise SongError(f"{self.root}: no song '{song}' there; {suggestion(song, self.songs, 'songs')}")
        entry = self.read(song, self.songs[song])
        if not entry.layout.tracks:
            raise SongError(f"{self.songs[song]}: no tracks; copy or download it again")
        return entry

    @final
    def entries(self) -> Iterator[Entry]:
        """All songs, in the order of their ids; stops with the `SongError` of the first that is broken."""
        return map(self.entry, self.songs)


DATASETS: Registry[type[Dataset]] = Registry("dataset", "mixgraph.datasets")


def open_dataset(name: str, root: Path | str | None = None) -> Dataset:
    """The dataset at `root`, or where its environment variable says. Raises `ConfigError` or `SongError`."""
    kind = DATASETS[name]
    place = root or os.environ.get(kind.variable)
    if not place:
        raise SongError(f"{name}: no folder given; name it, or set {kind.variable}. {kind.how_to_get}")
    if not Path(place).is_dir():
        raise SongError(f"{place}: no such folder, and {name} should be there. {kind.how_to_get}")
    return kind(Path(place))
