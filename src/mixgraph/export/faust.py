"""The whole graph as one Faust program (faust.grame.fr); inputs are the tracks, two each, in their order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, final

import numpy as np

from mixgraph.datasets.names import safe
from mixgraph.export.base import EXPORTS, RenderedExport, Source, file_names
from mixgraph.export.faust_program.blocks import LIBRARY, block_of
from mixgraph.export.faust_program.player import LATENCY, play_program
from mixgraph.export.fidelity import Fate
from mixgraph.files import write_bytes


@final
@EXPORTS.register("faust")
class Faust(RenderedExport):
    """Faust program of the whole graph, exact, with sliders for what can be turned.

    Latency of convolutions is made equal on all ways; its sum stands in the program.
    """

    needs_song: ClassVar[bool] = False

    def write(self, source: Source, folder: Path) -> list[Fate]:
        fates: list[Fate] = []
        program = "\n".join(_program(source, fates)) + "\n"
        write_bytes(folder / _file(source), program.encode())
        return fates

    def render(self, folder: Path, source: Source) -> tuple[np.ndarray, int]:
        tracks = np.concatenate([source.song.track(name) for name in source.result.tracks])
        return play_program(folder / _file(source), tracks, source.sample_rate), source.sample_rate


def _file(source: Source) -> str:
    return f"{safe(source.name) or 'song'}.dsp"


def _program(source: Source, fates: list[Fate]) -> Iterator[str]:
    result, graph = source.result, source.result.graph
    names = {node.id: f"n{index}" for index, node in enumerate(graph.order)}
    labels = file_names(node.id for node in graph.processors)
    inputs = [f"t{index}{side}" for index, _ in enumerate(result.tracks) for side in "lr"]
    tracks = {track: f"t{index}l, t{index}r" for index, track in enumerate(result.tracks)}
    body: list[str] = []
    taps: dict[str, str] = {}
    late: dict[str, int] = {}
    for node in graph.order:
        before = graph.predecessors(node.id)
        late[node.id] = max((late[id] for id in before), default=0)
        if node.source is not None:
            signal = tracks[node.source]
        else:
            waits = (late[node.id] - late[id] for id in before)
            ways = [
                f"({names[id]} : @({wait}), @({wait}))" if wait else names[id]
                for id, wait in zip(before, waits, strict=True)
            ]
            signal = ways[0] if len(ways) == 1 else f"({', '.join(ways)}) :> _, _"
        if node.is_processor:
            block = block_of(result, node.id, f"h{names[node.id]}", labels[node.id])
            signal = f"{signal} : {block.text}"
            late[node.id] += block.latency
            taps |= block.taps
            fates.append(Fate(node.id, node.type, "exact", block.how))
        # Comments end with the line, and ids may hold anything.
        body.append(f"  {names[node.id]} = {signal}; // {' '.join(node.id.split())}")
    yield f'declare name "{safe(source.name) or "song"}";'
    yield f'declare description "mixing graph found by mixgraph; made for {source.sample_rate} Hz";'
    yield f'{LATENCY}{late[graph.output.id]}";'
    yield 'import("stdfaust.lib");'
    yield "// Inputs: " + ", ".join(f"{' '.join(track.split())} (left, right)" for track in result.tracks)
    yield f"process({', '.join(inputs)}) = {names[graph.output.id]} with {{"
    yield from body
    yield "};"
    yield LIBRARY.rstrip()
    yield from (f"{name} = {values};" for name, values in taps.items())
