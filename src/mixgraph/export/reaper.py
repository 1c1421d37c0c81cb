"""A REAPER project: folder tracks as subgroups, and our processors as JSFX."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, final

from mixgraph.audio.files import write_audio
from mixgraph.datasets.names import safe
from mixgraph.errors import ResultError
from mixgraph.export.base import EXPORTS, Export, Source, file_names
from mixgraph.export.fidelity import Fate
from mixgraph.export.jsfx import SLIDERS, Effect, effect_of, repr_of
from mixgraph.export.responses import write_response
from mixgraph.files import write_bytes
from mixgraph.graph.graph import Graph
from mixgraph.graph.node import IN, MIX
from mixgraph.graph.strands import Strand, node_name, strands

EFFECTS: Final = "Effects"
"""The folder of REAPER's resources, and of the export, that holds effects."""


@dataclass(frozen=True)
class Strip:
    """A track of the project: its strand, how many folders end behind it, and whether it begins one or lies in one."""

    strand: Strand
    opens: bool = False
    nested: bool = False
    closes: bool = False


@final
@EXPORTS.register("reaper")
class Reaper(Export):
    """REAPER project: folders as subgroups, JSFX that compute the processors exactly.

    The project works at the rate of the result. Where a graph sends to several places, the project has sends.
    """

    needs_song: ClassVar[bool] = True

    def write(self, source: Source, folder: Path) -> list[Fate]:
        result, rate = source.result, source.sample_rate
        title = safe(source.name) or "song"
        place = folder / EFFECTS / "mixgraph" / title
        place.mkdir(parents=True)
        (folder / "audio").mkdir()
        names = file_names(node.id for node in result.graph.processors)
        effects: dict[str, Effect] = {}
        for id, name in names.items():
            effects[id] = effect = effect_of(result, id, f"{name}.wav")
            write_bytes(place / f"{name}.jsfx", effect.text.encode())
            if effect.response:
                write_response(place / f"{name}.wav", effect.response, rate)
        tracks = file_names(result.tracks)
        for track, name in tracks.items():
            write_audio(folder / "audio" / f"{name}.wav", source.song.track(track), rate)
        paths = {id: f"mixgraph/{title}/{name}.jsfx" for id, name in names.items()}
        project = _project(source, effects, paths, tracks)
        write_bytes(folder / f"{title}.rpp", ("\n".join(project) + "\n").encode())
        return [Fate(node.id, node.type, "exact", f"{EFFECTS}/{paths[node.id]}") for node in result.graph.processors]


def arrange(graph: Graph) -> list[Strip]:
    """The strands in the order of the project: subgroups with their tracks below them, then all else."""
    rows = strands(graph)
    buses = [row for row in rows if graph.node(row.head).type == MIX and row.feeds == (graph.output.id,)]
    strips: list[Strip] = []
    for bus in buses:
        inside = [row for row in rows if graph.node(row.head).type == IN and row.feeds == (bus.head,)]
        strips.append(Strip(bus, opens=bool(inside)))
        strips += [Strip(row, nested=True, closes=row is inside[-1]) for row in inside]
    placed = {strip.strand.head for strip in strips}
    return strips + [Strip(row) for row in rows if row.head not in placed]


def _project(
    source: Source, effects: dict[str, Effect], paths: dict[str, str], tracks: dict[str, str]
) -> Iterator[str]:
    graph, seconds = source.result.graph, source.song.samples / source.sample_rate
    strips = arrange(graph)
    position = {strip.strand.head: index for index, strip in enumerate(strips)}
    yield '<REAPER_PROJECT 0.1 "7.0" 0'
    yield f"  SAMPLERATE {source.sample_rate} 1 0"
    yield "  PANLAW 1"
    yield "  MASTER_VOLUME 1 0 -1 -1 1"
    yield "  MASTER_NCH 2 2"
    for strip in strips:
        row = strip.strand
        # Into the folder, or the output; all else goes through sends.
        main = strip.nested or graph.output.id in row.feeds
        if row.feeds.count(graph.output.id) > 1:
            raise ResultError(f"node '{row.end}' feeds the output more than once, which no track of REAPER does")
        yield f"  <TRACK {_guid(row.head)}"
        yield f"    NAME {quoted(node_name(graph, row.head))}"
        yield "    VOLPAN 1 0 -1 -1 1"
        yield f"    ISBUS {'1 1' if strip.opens else '2 -1' if strip.closes else '0 0'}"
        yield "    NCHAN 2"
        yield f"    MAINSEND {int(main)} 0"
        for other in strips:
            if not other.nested:
                for _ in range(other.strand.feeds.count(row.head)):
                    yield f"    AUXRECV {position[other.strand.head]} 0 1 0 0 0 0 0 0 -1:U 0 -1 ''"
        if row.processors:
            yield from _chain(row.processors, effects, paths)
        node = graph.node(row.head)
        if node.source:
            yield from _item(f"audio/{tracks[node.source]}.wav", node.source, seconds)
        yield "  >"
    yield ">"


def _chain(ids: Sequence[str], effects: dict[str, Effect], paths: dict[str, str]) -> Iterator[str]:
    yield from ("    <FXCHAIN", "      SHOW 0", "      LASTSEL 0", "      DOCKED 0")
    for id in ids:
        values = [repr_of(value) for value in effects[id].sliders]
        yield "      BYPASS 0 0 0"
        yield f"      <JS {quoted(paths[id])} {quoted(id)}"
        yield f"        {' '.join([*values, *['-'] * (SLIDERS - len(values))])}"
        yield "      >"
        yield f"      FXID {_guid(f'{id} effect')}"
    yield "    >"


def _item(file: str, name: str, seconds: float) -> Iterator[str]:
    yield from ("    <ITEM", "      POSITION 0", f"      LENGTH {repr_of(seconds)}", "      LOOP 0")
    yield from (f"      IGUID {_guid(f'{file} item')}", f"      NAME {quoted(name)}", "      <SOURCE WAVE")
    yield from (f"        FILE {quoted(file)}", "      >", "    >")


def quoted(text: str) -> str:
    """A text as REAPER writes it: in the quotes that it does not hold; a backtick in one that holds all is lost."""
    text = " ".join(text.split())
    for mark in ('"', "'", "`"):
        if mark not in text:
            return f"{mark}{text}{mark}"
    return f"`{text.replace('`', chr(39))}`"


def _guid(text: str) -> str:
    """The same id for the same thing: equal results give equal files."""
    return f"{{{str(uuid.uuid5(uuid.NAMESPACE_URL, f'mixgraph/{text}')).upper()}}}"
