"""Processed stems: what every subgroup, and every track, sounds like in the found mix."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, final

from mixgraph.audio.files import write_audio
from mixgraph.export.base import EXPORTS, Export, Source, file_names
from mixgraph.export.fidelity import Fate
from mixgraph.graph.node import IN
from mixgraph.graph.strands import node_name, strands


@final
@EXPORTS.register("stems")
class Stems(Export):
    """Audio: the mix, its subgroups, which add up to it, and the tracks as they enter these.

    32-bit float, so that nothing clips, at the result's own sample rate.
    """

    needs_song: ClassVar[bool] = True

    def write(self, source: Source, folder: Path) -> list[Fate]:
        graph = source.result.graph
        rows = [row for row in strands(graph) if graph.node(row.head).type == IN]
        signals = source.signals([row.end for row in rows])
        files = file_names(node_name(graph, row.head) for row in rows)
        (folder / "tracks").mkdir()
        for row in rows:
            name = files[node_name(graph, row.head)]
            write_audio(folder / "tracks" / f"{name}.wav", signals[row.end], source.sample_rate)
        stems = source.result.stems(source.song, device=source.device)
        groups = file_names(stems)
        (folder / "subgroups").mkdir()
        for name, signal in stems.items():
            write_audio(folder / "subgroups" / f"{groups[name]}.wav", signal, source.sample_rate)
        write_audio(folder / "mix.wav", sum(stems.values(), 0 * next(iter(stems.values()))), source.sample_rate)
        return [
            Fate(node.id, node.type, "printed", "in its track's and its subgroup's file") for node in graph.processors
        ]
