"""A corpus as a plain PyTorch dataset: each song a dictionary of tensors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal, final

import torch
from torch import Tensor
from torch.utils.data import Dataset

from mixgraph.audio.song import Song
from mixgraph.corpus.folder import Corpus
from mixgraph.corpus.layouts import load_dry
from mixgraph.corpus.learn.examples import Example, Source, examples_of
from mixgraph.corpus.learn.features import features_of, track_names
from mixgraph.corpus.learn.parameters import Form, parameter_names, parameter_rows
from mixgraph.corpus.origins import track_of
from mixgraph.corpus.tables.split import SPLITS, Split
from mixgraph.errors import ConfigError, ResultError
from mixgraph.graph.graph import Graph
from mixgraph.graph.node import IN, MIX, OUT
from mixgraph.processors.bank import make_processors
from mixgraph.processors.base import PROCESSORS
from mixgraph.result.result import Result

Structure = Literal["graph", "routing"]
CACHE: Final = "features"


@final
class SongDataset(Dataset[dict[str, Tensor]]):
    """Songs with their graphs, each a dictionary of tensors.

    `node_type` `(node,)` is an index into `node_types`, nodes in the graph's order; `edge_index` `(2, edge)`;
    under each processor type that the song has, a row per node (`parameter_rows`; names in `parameter_names`); `kept`
    `(track, type)` says whether a track passes a processor of a type before it is summed, types as in `types`.
    With `audio`, `track_features` and `mix_features` (see `features`); with `waveform_seconds`, `track_waveforms`
    `(track, 2, time)` and `mix_waveform` `(2, time)`, from the middle of the song. Tracks are in the graph's order.

    The source is a corpus, or a folder of song folders with known graphs. `split` None is all of it. With the structure
    `routing` the graph is rid of its processors: what a network may see that shall predict them. Features are kept in
    `cache`, by default the folder `features` of the source. Raises `ResultError` where results do not fit together.
    """

    def __init__(
        self,
        source: Source,
        *,
        split: Split | None = None,
        structure: Structure = "graph",
        parameters: Form = "physical",
        audio: bool = True,
        waveform_seconds: float | None = None,
        cache: Path | str | None = None,
    ) -> None:
        _require(split, (None, *SPLITS), "split")
        _require(structure, ("graph", "routing"), "structure")
        _require(parameters, ("physical", "raw"), "parameters")
        self.structure: Structure = structure
        self.parameters: Form = parameters
        self.audio = audio
        self.waveform_seconds = waveform_seconds
        self.cache = Path(cache) if cache else _beside(source)
        found = examples_of(source)
        graphs = [self.graph_of(example) for example in found]
        self.types = tuple(PROCESSORS)
        occurring = {kind for graph in graphs for kind in graph.types}
        self.node_types = (IN, MIX, OUT, *(kind for kind in self.types if kind in occurring))
        self.edge_types = tuple(sorted({pair for graph in graphs for pair in _edge_types(graph)}))
        self.examples = [example for example in found if split in (None, example.split)]
        config = found[0].config
        processors = make_processors(self.types, config.audio.sample_rate, config.processors)
        self.parameter_names = {kind: parameter_names(processors[kind], parameters) for kind in self.types}

    def __len__(self) -> int:
        return len(self.examples)

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        example = self.examples[index]
        graph = self.graph_of(example)
        places = {node.id: place for place, node in enumerate(graph.order)}
        edges = [(places[start], places[end]) for start, end in graph.edges]
        item = {
            "node_type": torch.tensor([self.node_types.index(node.type) for node in graph.order]),
            "edge_index": torch.tensor(edges, dtype=torch.int64).reshape(-1, 2).T.contiguous(),
            "kept": self._kept(example),
        }
        if self.structure == "graph":
            item |= self._parameters(example)
        if self.audio:
            features = features_of(example, self.cache)
            item |= {"track_features": features.tracks, "mix_features": features.mix}
        if self.waveform_seconds is not None:
            with self.song(index) as song:
                length = round(self.waveform_seconds * song.sample_rate)
                start = max(0, (song.samples - length) // 2)
                tracks = song.track_segment(start, length, track_names(example))
                item["track_waveforms"] = torch.from_numpy(tracks)
                item["mix_waveform"] = torch.from_numpy(song.mix_segment(start, length))
        return item

    def song(self, index: int) -> Song:
        """The audio of a song, to be closed; raises `SongError` where a file is missing."""
        example = self.examples[index]
        return load_dry(example.layout, example.config)

    def graph_of(self, example: Example) -> Graph:
        """The graph that is learnt from: the example's own, or its routing."""
        if self.structure == "graph":
            return example.graph
        return example.graph.without({node.id for node in example.graph.processors})

    def _kept(self, example: Example) -> Tensor:
        tracks, owner = track_names(example), track_of(example.graph)
        kept = torch.zeros(len(tracks), len(self.types), dtype=torch.bool)
        for node in example.graph.processors:
            if track := owner[node.id]:
                kept[tracks.index(track), self.types.index(node.type)] = True
        return kept

    def _parameters(self, example: Example) -> dict[str, Tensor]:
        rows = parameter_rows(Result.load(example.result), self.parameters)
        for kind, values in rows.items():
            if values.shape[1] != len(self.parameter_names[kind]):
                what = f"{values.shape[1]} numbers per {kind}, {len(self.parameter_names[kind])} in the first song"
                raise ResultError(f"{example.result}: {what}; learn from results of one configuration")
        return rows


def _beside(source: Source) -> Path | None:
    if isinstance(source, Corpus):
        return source.folder / CACHE
    return Path(source) / CACHE if isinstance(source, str | Path) else None


def _edge_types(graph: Graph) -> set[tuple[str, str]]:
    types = {node.id: node.type for node in graph.nodes}
    return {(types[start], types[end]) for start, end in graph.edges}


def _require(value: object, accepted: tuple[object, ...], what: str) -> None:
    if value not in accepted:
        raise ConfigError(f"{what} = {value!r}; known: {', '.join(map(repr, accepted))}")
