"""What a dataset is: a folder of songs in a layout of its own, and what has to be said of it."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, final

from mixgraph.audio.song_file import Layout
from mixgraph.errors import SongError
from mixgraph.registry import Registry


@final
@dataclass(frozen=True)
class Entry:
    """One song of a dataset: where its files are, and what is known of it before any audio is read.

    `id` is a file name without a suffix, unique in the dataset. `layout.mix` is None where the dataset has no real mix
    of its dry tracks. `aligned` says whether tracks and mix start together. `truth` is the folder of the true mixing
    graph, in the form of a result, where the mix is known.
    """

    id: str
    title: str
    artist: str
    licence: str
    layout: Layout
    aligned: bool = True
    truth: Path | None = None


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
    def entries(self) -> Iterator[Entry]:
        """The songs there, in the order of their ids; reads no audio. Raises `SongError` naming the file at fault."""


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
