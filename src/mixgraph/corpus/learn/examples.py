"""What networks learn from: songs with a graph, be it found by a search or known because we made the mix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from mixgraph.audio.song_file import Layout
from mixgraph.config import SearchConfig, validate
from mixgraph.corpus.folder import CORPUS, Corpus
from mixgraph.corpus.layouts import layout_of
from mixgraph.corpus.tables.split import Split, song_split, split_of
from mixgraph.datasets.base import open_dataset
from mixgraph.errors import ResultError
from mixgraph.files import read_json
from mixgraph.graph.graph import Graph
from mixgraph.result.result import CURE, GRAPH, PROVENANCE

Source = Corpus | Path | str | Sequence["Example"]


@final
@dataclass(frozen=True)
class Example:
    """A song: its files, its graph, the result folder that holds it, and the SHA-256 of its `inputs` by file."""

    id: str
    split: Split
    result: Path
    layout: Layout
    graph: Graph
    config: SearchConfig
    inputs: dict[str, str]


def examples_of(source: Source) -> list[Example]:
    """The songs of a corpus, or of a folder of song folders with known graphs (`truth/`), in order.

    Raises `ResultError` naming a result that is damaged, or a source that has no graphs.
    """
    if isinstance(source, str | Path):
        folder = Path(source)
        found = _searched(Corpus.open(folder)) if (folder / CORPUS).is_file() else _known(folder)
    else:
        found = _searched(source) if isinstance(source, Corpus) else list(source)
    if not found:
        name = source.folder if isinstance(source, Corpus) else source
        raise ResultError(f"{name}: has no graphs; build a corpus, or make songs with `mixgraph corpus synthesise`")
    return found


def _searched(corpus: Corpus) -> list[Example]:
    found = []
    for record in corpus.songs:
        if (folder := corpus.result_folder(record.id)).is_dir():
            provenance = read_json(folder / PROVENANCE, CURE)
            layout = layout_of(corpus, record, provenance)
            found.append(_example(record.id, song_split(corpus, record), folder, layout, provenance))
    return found


def _known(folder: Path) -> list[Example]:
    found = []
    for entry in open_dataset("folder", folder).entries():
        if entry.truth:
            split = split_of(entry.artist, entry.title)
            provenance = read_json(entry.truth / PROVENANCE, CURE)
            found.append(_example(entry.id, split, entry.truth, entry.layout, provenance))
    return found


def _example(id: str, split: Split, folder: Path, layout: Layout, provenance: dict[str, Any]) -> Example:
    graph = Graph.from_json(read_json(folder / GRAPH, CURE))
    config = validate(provenance.get("config", {}), origin=str(folder / PROVENANCE))
    return Example(id, split, folder, layout, graph, config, provenance.get("input_sha256", {}))
