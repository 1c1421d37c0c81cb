"""A corpus for PyTorch Geometric: each song a heterogeneous graph."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

import torch
from torch.utils.data import Dataset

from mixgraph.corpus.extras import require
from mixgraph.corpus.learn.examples import Example, Source
from mixgraph.corpus.learn.parameters import Form
from mixgraph.corpus.learn.songs import SongDataset, Structure
from mixgraph.corpus.tables.split import Split
from mixgraph.graph.node import IN, MIX, OUT

if TYPE_CHECKING:
    from torch_geometric.data import HeteroData

TO: Final = "to"


@final
class GraphDataset(Dataset["HeteroData"]):
    """The songs of a corpus as `torch_geometric.data.HeteroData`; arguments as those of `SongDataset`.

    Node types are `in`, `mix`, `out` and the processor types that occur anywhere in the source, whether a song has them
    or not, so that songs batch. `x` of a processor type is `(node, 1 + parameters)`; of `in` and `out` the features of
    the dry track and of the mix (without `audio`: ones); of `mix` ones. `data["in"].kept` is `(track, type)` bool. With
    `waveform_seconds`, `data["in"].waveform` is `(track, 2, time)` and `data["out"].waveform` `(1, 2, time)`. Edges are
    `data[FROM, "to", TO].edge_index`, for all pairs of types that are connected anywhere in the source. `song_id` is
    the song, and `node_id` of each type its nodes' ids.
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
        require("torch_geometric", "pyg")
        self.songs = SongDataset(
            source,
            split=split,
            structure=structure,
            parameters=parameters,
            audio=audio,
            waveform_seconds=waveform_seconds,
            cache=cache,
        )

    @property
    def examples(self) -> list[Example]:
        """The songs, in order."""
        return self.songs.examples

    def metadata(self) -> tuple[list[str], list[tuple[str, str, str]]]:
        """Node and edge types, as `torch_geometric.nn.to_hetero` and `HeteroConv` take them."""
        return list(self.songs.node_types), [(start, TO, end) for start, end in self.songs.edge_types]

    def __len__(self) -> int:
        return len(self.songs)

    def __iter__(self) -> Iterator[HeteroData]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> HeteroData:
        from torch_geometric.data import HeteroData

        songs, item, example = self.songs, self.songs[index], self.songs.examples[index]
        order, data = songs.graph_of(example).order, HeteroData()
        data.song_id = example.id
        place = torch.zeros(len(order), dtype=torch.int64)  # of each node among those of its type
        for number, kind in enumerate(songs.node_types):
            chosen = item["node_type"] == number
            count = int(chosen.sum())
            place[chosen] = torch.arange(count)
            empty = torch.zeros(0, len(songs.parameter_names.get(kind, ())))
            data[kind].x = torch.ones(count, 1) if kind in (IN, MIX, OUT) else item.get(kind, empty)
            data[kind].node_id = [node.id for node in order if node.type == kind]
        data[IN].kept = item["kept"]
        if songs.audio:
            data[IN].x, data[OUT].x = item["track_features"], item["mix_features"][None]
        if songs.waveform_seconds is not None:
            data[IN].waveform, data[OUT].waveform = item["track_waveforms"], item["mix_waveform"][None]
        types = item["node_type"][item["edge_index"]]
        for start, end in songs.edge_types:
            wanted = torch.tensor([[songs.node_types.index(start)], [songs.node_types.index(end)]])
            chosen = (types == wanted).all(0)
            data[start, TO, end].edge_index = place[item["edge_index"][:, chosen]]
        return data
