"""Where a corpus's songs are: paths from the folder of their dataset, for what leaves the machine that made it.

In the `corpus.json` of the corpus that was built, songs are where they were found, and `facts` has the `root` of the
dataset. Tables and exported copies name places from that root, and copies do not say where it is.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from mixgraph.corpus.folder import Corpus, SongRecord
from mixgraph.datasets.base import DATASETS

AUDIO: Final = "audio"
"""In `Corpus.facts` of a corpus that carries its audio: `sha256` of the files by song."""


def dataset_root(corpus: Corpus) -> Path | None:
    """The dataset's folder: as noted, else as its environment variable says; None where neither does."""
    noted = corpus.facts.get("root") or os.environ.get(variable_of(corpus))
    return Path(noted) if noted else None


def variable_of(corpus: Corpus) -> str:
    """The environment variable that names the folder of the corpus's dataset; empty for an unknown dataset."""
    return DATASETS[corpus.dataset].variable if corpus.dataset in DATASETS else ""


def place_in_dataset(corpus: Corpus, path: str) -> str:
    """A path from the dataset's folder, with `/`; of one outside of it only the name; a relative one stays."""
    place = Path(path)
    if not place.is_absolute():
        return path
    root = corpus.facts.get("root")
    return (place.relative_to(root) if root and place.is_relative_to(root) else Path(place.name)).as_posix()


def truth_folder(corpus: Corpus, record: SongRecord) -> Path | None:
    """Where the true graph of a song is, where one is known."""
    return (dataset_root(corpus) or corpus.folder) / record.truth if record.truth else None


def what_is_not_said(corpus: Corpus) -> str:
    """What to do before the dry files of a copy without audio can be read; empty where nothing need be done."""
    folders = [Path(record.layout["folder"]) for record in corpus.songs]
    if AUDIO in corpus.facts or dataset_root(corpus) or all(folder.is_absolute() for folder in folders):
        return ""
    where = f"set {variable_of(corpus)}" if variable_of(corpus) else "install the package that knows it"
    return f"{corpus.folder}: names its dry files from the folder of the dataset '{corpus.dataset}'; {where}"
