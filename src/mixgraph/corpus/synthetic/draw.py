"""A sparse console with settings: which processors are there, and what each does to the signal that reaches it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

import torch
from torch import Tensor

from mixgraph.audio.song import Song
from mixgraph.corpus.synthetic.levels import levels_of
from mixgraph.corpus.synthetic.ranges import Ranges
from mixgraph.corpus.synthetic.settings import Place, Settings, draw_settings
from mixgraph.errors import ConfigError
from mixgraph.graph.graph import Graph
from mixgraph.graph.node import MIX
from mixgraph.processors.bank import DRY_WET, ParameterBank
from mixgraph.processors.base import Processor
from mixgraph.result.result import processor_ids

GAIN: Final = "gain_panning"
ALL_WET_LOGIT: Final = 20.0
"""Its sigmoid is 1 in single precision."""


def draw_console(
    dry: Song, console: Graph, processors: Mapping[str, Processor], ranges: Ranges, rng: random.Random
) -> dict[str, Settings]:
    """Settings by node id, for some of the processors of a full console over the tracks of `dry`.

    Every track passes a gain, its own or its subgroup's. A subgroup of one track gets no processors: they could not
    be told from those of the track.
    """
    present = _choose(console, ranges, rng)
    tempo_bpm = ranges.delay_tempo_bpm.draw(rng)
    drawn: dict[str, Settings] = {}
    signals: dict[str, Tensor] = {}
    for node in console.order:
        if node.source is not None:
            signal = torch.from_numpy(dry.track(node.source))
        else:
            signal = torch.stack([signals.pop(name) for name in console.predecessors(node.id)]).sum(0)
        if node.id in present and (levels := levels_of(signal, dry.sample_rate)):
            place = Place(levels, _on_subgroup(console, node.id), tempo_bpm)
            settings = draw_settings(processors[node.type], place, ranges, rng)
            if settings:
                drawn[node.id] = settings
                signal = _apply(processors[node.type], settings, signal)
        signals[node.id] = signal
    return drawn


def with_gain(graph: Graph, drawn: Mapping[str, Settings], change_db: float) -> dict[str, Settings]:
    """The settings with which the output is louder by so much: the last gain of each way changes, and with it every
    threshold behind it."""
    changed, ahead = dict(drawn), [graph.output.id]
    while ahead:
        node_id = ahead.pop()
        physical = drawn[node_id].physical if node_id in drawn else {}
        for name in {"gain_db", "threshold_db"} & physical.keys():
            changed[node_id] = replace(drawn[node_id], physical={**physical, name: physical[name] + change_db})
        if "gain_db" not in physical:
            ahead += graph.predecessors(node_id)
    return changed


def make_bank(graph: Graph, drawn: Mapping[str, Settings], processors: Mapping[str, Processor]) -> ParameterBank:
    """The raw parameters of a graph whose processors have these settings."""
    ids, tensors = processor_ids(graph), {}
    for kind, of_kind in ids.items():
        rows = [_raw(processors[kind], drawn[node_id]) for node_id in of_kind]
        tensors[kind] = {name: torch.cat([row[name] for row in rows]) for name in rows[0]}
    return ParameterBank(ids, tensors)


def _choose(console: Graph, ranges: Ranges, rng: random.Random) -> set[str]:
    present: set[str] = set()
    for node in console.processors:
        chance, wanted = rng.random(), ranges.presence.get(node.type, (0.0, 0.0))
        alone = _on_subgroup(console, node.id) and len(console.predecessors(_owner(node.id))) == 1
        if chance < wanted[_on_subgroup(console, node.id)] and not alone:
            present.add(node.id)
    for track in console.inputs:
        own = f"{track.id}/{GAIN}"
        way = set(_way(console, track.id))
        if own not in way:
            raise ConfigError("a chain without gains cannot be brought to a level; let chain have the letter g")
        if not any(node_id in present and console.node(node_id).type == GAIN for node_id in way):
            present.add(own)
    return present


def _way(console: Graph, node_id: str) -> Iterator[str]:
    """The nodes from here to the output; a console is a tree."""
    while after := console.successors(node_id):
        node_id = after[0]
        yield node_id


def _owner(node_id: str) -> str:
    return node_id.rpartition("/")[0]


def _on_subgroup(console: Graph, node_id: str) -> bool:
    return console.node(_owner(node_id)).type == MIX


def _apply(processor: Processor, settings: Settings, signal: Tensor) -> Tensor:
    wet = processor.process(signal[None], _raw(processor, settings))[0]
    return torch.lerp(signal, wet, settings.dry_wet)


def _raw(processor: Processor, settings: Settings) -> dict[str, Tensor]:
    """Raw parameters and the dry/wet logit of one node, float32 with a node axis."""
    raw = processor.raw({name: value[None] for name, value in settings.physical.items()})
    weight = torch.tensor([settings.dry_wet], dtype=torch.float64)
    logit = torch.logit(weight).clamp(max=ALL_WET_LOGIT)
    return {name: value.float() for name, value in (raw | {DRY_WET: logit}).items()}
