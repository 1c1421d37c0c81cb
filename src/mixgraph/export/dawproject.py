"""DAWproject 1.0 (github.com/bitwig/dawproject): what its built-in devices can come near to, and the rest as audio."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, final
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import mixgraph
from mixgraph.audio.files import wav_bytes
from mixgraph.datasets.names import safe
from mixgraph.errors import ResultError
from mixgraph.export.base import EXPORTS, Export, Source, file_names
from mixgraph.export.devices import balance, devices_of, live_from
from mixgraph.export.fidelity import Fate
from mixgraph.export.reaper import arrange
from mixgraph.files import write_bytes
from mixgraph.graph.node import MIX
from mixgraph.graph.strands import Strand, node_name

EARLIEST: Final = (1980, 1, 1, 0, 0, 0)  # equal results give equal files
MASTER: Final = "master"


@dataclass(frozen=True)
class Lane:
    """A track of the project: its strand, the processors that are devices, its audio's node, and lanes in a group."""

    strand: Strand
    live: tuple[str, ...]
    audio: str | None
    inside: tuple[Lane, ...] = ()


@final
@EXPORTS.register("dawproject")
class DawProject(Export):
    """DAWproject for Bitwig, Studio One, Cubase: fitted EQ, compressors, gates; the rest as audio.

    On each track and subgroup, everything up to the last processor that has no built-in device is printed.
    """

    needs_song: ClassVar[bool] = True

    def write(self, source: Source, folder: Path) -> list[Fate]:
        lanes = plan(source)
        every = [one for lane in lanes for one in (lane, *lane.inside)]
        names = file_names(lane.audio for lane in every if lane.audio)
        name = safe(source.name) or "song"
        packed = io.BytesIO()
        fates: dict[str, Fate] = {}
        with zipfile.ZipFile(packed, "w") as archive:
            _add(archive, "project.xml", _xml(_project(source, lanes, names, fates)))
            _add(archive, "metadata.xml", _xml(_metadata(source.name)))
            for id, file in names.items():
                _add(archive, f"audio/{file}.wav", wav_bytes(source.signals([id])[id].T, source.sample_rate))
        write_bytes(folder / f"{name}.dawproject", packed.getbuffer())
        why = "in the audio of the track or subgroup that it comes before"
        return [fates.get(node.id, Fate(node.id, node.type, "printed", why)) for node in source.result.graph.processors]


def plan(source: Source) -> list[Lane]:
    """What becomes of every strand that feeds the output; what feeds only a printed one is in that one's audio."""
    result, graph = source.result, source.result.graph
    strips, lanes = arrange(graph), []
    for strip in strips:
        row = strip.strand
        if strip.nested or graph.output.id not in row.feeds:
            continue
        if row.feeds.count(graph.output.id) > 1:
            raise ResultError(f"node '{row.end}' feeds the output more than once, which no track of a DAW does")
        inside = [other.strand for other in strips if other.nested and other.strand.feeds == (row.head,)]
        first = live_from(result, row)
        grouped = graph.node(row.head).type == MIX and len(inside) == len(graph.predecessors(row.head))
        if first == 0 and grouped and row.feeds == (graph.output.id,):
            lanes.append(Lane(row, row.processors, None, tuple(_alone(source, other) for other in inside)))
        else:
            lanes.append(_alone(source, row))
    return lanes


def _alone(source: Source, row: Strand) -> Lane:
    first = live_from(source.result, row)
    return Lane(row, row.processors[first:], row.processors[first - 1] if first else row.head)


def _project(source: Source, lanes: Sequence[Lane], names: dict[str, str], fates: dict[str, Fate]) -> Element:
    ids = iter(range(1, 1_000_000))
    graph, seconds = source.result.graph, source.song.samples / source.sample_rate
    root = Element("Project", version="1.0")
    SubElement(root, "Application", name="mixgraph", version=mixgraph.__version__)
    transport = SubElement(root, "Transport")
    real(transport, "Tempo", 120.0, "bpm")
    SubElement(transport, "TimeSignature", numerator="4", denominator="4")
    structure = SubElement(root, "Structure")
    arrangement = SubElement(root, "Arrangement")
    timelines = SubElement(arrangement, "Lanes", timeUnit="seconds")

    def add(parent: Element, lane: Lane, destination: str) -> None:
        id, title = f"track{next(ids)}", node_name(graph, lane.strand.head)
        kind = "audio" if lane.audio else "tracks"
        track = SubElement(parent, "Track", id=id, name=title, contentType=kind, loaded="true")
        role = "regular" if lane.audio else "submix"
        channel = SubElement(track, "Channel", id=f"{id}c", role=role, audioChannels="2", destination=destination)
        _fill(channel, source, lane, fates)
        for other in lane.inside:
            add(track, other, f"{id}c")
        if lane.audio:
            rows = SubElement(timelines, "Lanes", track=id)
            clips = SubElement(rows, "Clips")
            clip = SubElement(clips, "Clip", time="0", duration=f"{seconds:.9f}", contentTimeUnit="seconds", name=title)
            rate = str(source.sample_rate)
            audio = SubElement(clip, "Audio", channels="2", sampleRate=rate, duration=f"{seconds:.9f}")
            SubElement(audio, "File", path=f"audio/{names[lane.audio]}.wav")

    for lane in lanes:
        add(structure, lane, MASTER)
    master = SubElement(structure, "Track", id="trackmaster", name="Master", contentType="audio tracks", loaded="true")
    channel = SubElement(master, "Channel", id=MASTER, role="master", audioChannels="2")
    real(channel, "Volume", 1.0, "linear")
    return root


def _fill(channel: Element, source: Source, lane: Lane, fates: dict[str, Fate]) -> None:
    """Devices in signal order, then fader and balance, in the order that the schema wants."""
    volume, pan = 1.0, 0.5
    devices = Element("Devices")
    for id in lane.live:
        type = source.result.graph.node(id).type
        for device in devices_of(source.result, id):
            names = {"deviceName": device.kind, "deviceRole": "audioFX", "name": id, "loaded": "true"}
            made = SubElement(devices, device.kind, names)
            for band in device.bands:
                inner = SubElement(made, "Band", type=band.kind)
                for name, (value, unit) in band.values.items():
                    real(inner, name, value, unit)
            for name, (value, unit) in device.values.items():
                real(made, name, value, unit)
            fates[id] = Fate(id, type, "fitted", device.how, device.error_db)
        if found := balance(source.result, id):
            volume, pan = found
            how = "fader and balance: exact where the balance turns only the far side down"
            fates[id] = Fate(id, type, "fitted", how, 0.0)
    if len(devices):
        channel.append(devices)
    real(channel, "Pan", pan, "normalized")
    real(channel, "Volume", volume, "linear")


def real(parent: Element, name: str, value: float, unit: str) -> None:
    """A parameter, in the unit that the format has for it."""
    limits = {"percent": {"min": "0", "max": "100"}, "normalized": {"min": "0", "max": "1"}}.get(unit, {})
    SubElement(parent, name, {"value": f"{value:.9g}", "unit": unit} | limits)


def _metadata(title: str) -> Element:
    root = Element("MetaData")
    SubElement(root, "Title").text = title
    SubElement(root, "Comment").text = "A mixing graph found by mixgraph"
    return root


def _xml(root: Element) -> bytes:
    ElementTree.indent(root)
    return ElementTree.tostring(root, "utf-8", xml_declaration=True)


def _add(archive: zipfile.ZipFile, name: str, content: bytes | memoryview) -> None:
    info = zipfile.ZipInfo(name, EARLIEST)
    info.compress_type = zipfile.ZIP_DEFLATED if name.endswith(".xml") else zipfile.ZIP_STORED
    archive.writestr(info, bytes(content))
