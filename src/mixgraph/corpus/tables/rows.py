"""One song's rows of the tables, from its result alone: the same result always gives the same rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mixgraph.corpus.folder import Corpus, SongRecord
from mixgraph.corpus.origins import subgroup_of, track_of
from mixgraph.corpus.places import place_in_dataset
from mixgraph.corpus.tables.fields import (
    CHANNELS,
    CONVENTIONS,
    EDGE_COLUMNS,
    INPUT,
    NODE_COLUMNS,
    STAGES,
    nested_type,
    schema,
)
from mixgraph.corpus.tables.split import song_split
from mixgraph.graph.node import IN
from mixgraph.result.result import Result

Shapes = dict[tuple[str, str], tuple[int, ...]]


def song_row(corpus: Corpus, record: SongRecord, result: Result) -> dict[str, Any]:
    """What songs.parquet says of a song, by column."""
    metrics, provenance = result.metrics, result.provenance
    layout, hashes = provenance.get("layout") or record.layout, provenance.get("input_sha256", {})
    config = json.dumps(result.config.model_dump(mode="json"), sort_keys=True)
    versions = provenance.get("versions", {})
    row: dict[str, Any] = {
        "song_id": record.id,
        "split": song_split(corpus, record),
        "title": record.title,
        "artist": record.artist,
        "dataset": corpus.dataset,
        "licence": record.licence,
        "aligned": record.aligned,
        "duration_s": _duration_s(corpus.result_folder(record.id) / "mix.flac"),
        "sample_rate_hz": result.config.audio.sample_rate,
        "tracks": list(result.tracks),
        "subgroups": list(provenance.get("subgroups", {})),
        "search_s": metrics.get("seconds"),
        "peak_memory_mb": metrics.get("peak_memory_mb"),
        "song_folder": place_in_dataset(corpus, provenance.get("song_folder") or "") or None,
        "mix_file": layout.get("mix"),
        "mix_sha256": hashes.get(layout.get("mix")),
        "inputs": [dict(zip(INPUT.names, item, strict=True)) for item in sorted(hashes.items())],
        "seed": result.config.seed,
        "config_sha256": hashlib.sha256(config.encode()).hexdigest(),
        "config": config,
        "mixgraph_version": versions.get("mixgraph"),
        "torch_version": versions.get("torch"),
    }
    return row | _losses(metrics["loss"]) | _counts(metrics)


def node_table(corpus: Corpus, record: SongRecord, result: Result) -> pa.Table:
    """A song's nodes, in the order of graph.json, with the parameters of the types that it has."""
    graph, provenance = result.graph, result.provenance
    layout, hashes = provenance.get("layout") or record.layout, provenance.get("input_sha256", {})
    files = {node.id: layout["tracks"].get(node.source) for node in graph.nodes if node.type == IN}
    tracks, subgroups = track_of(graph), subgroup_of(graph, provenance.get("subgroups", {}))
    weights, ids = result.bank.dry_wet(), [node.id for node in graph.nodes]
    values: dict[str, Any] = {
        "song_id": [record.id] * len(ids),
        "split": [song_split(corpus, record)] * len(ids),
        "index": range(len(ids)),
        "node_id": ids,
        "type": [node.type for node in graph.nodes],
        "track": [tracks[name] for name in ids],
        "subgroup": [subgroups[name] for name in ids],
        "audio_file": [files.get(name) for name in ids],
        "audio_sha256": [hashes.get(files.get(name)) for name in ids],
        "dry_wet": [weights.get(name) for name in ids],
    }
    arrays = {column.name: pa.array(values[column.name], column.type) for column in NODE_COLUMNS}
    return pa.table(arrays | _parameters(result, ids))


def edge_table(corpus: Corpus, record: SongRecord, result: Result) -> pa.Table:
    """A song's edges, in the order of graph.json."""
    graph, split = result.graph, song_split(corpus, record)
    index = {node.id: position for position, node in enumerate(graph.nodes)}
    names = [column.name for column in EDGE_COLUMNS]
    rows = [(record.id, split, index[start], index[end], start, end) for start, end in graph.edges]
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], schema("edges", EDGE_COLUMNS))


def parameter_shapes(result: Result) -> Shapes:
    """The shape of each physical parameter of one node, by type and name."""
    return {
        (kind, name): tuple(value.shape[1:])
        for kind, tensors in result.bank.tensors.items()
        for name, value in result.processors[kind].physical(tensors).items()
    }


def _parameters(result: Result, ids: Sequence[str]) -> dict[str, pa.Array]:
    """Parameter columns of one song: null where a node is of another type."""
    found = {}
    for kind, names in result.bank.ids.items():
        row = {name: position for position, name in enumerate(names)}
        places = pa.array([row.get(name) for name in ids], pa.int32())
        for name, value in result.processors[kind].physical(result.bank.tensors[kind]).items():
            found[f"{kind}_{name}"] = nested(value.detach().numpy()).take(places)
    return found


def nested(values: np.ndarray) -> pa.Array:
    """An array `(row, *shape)` as one list of lists per row, without a Python object per number."""
    array = pa.array(np.ascontiguousarray(values).ravel(), nested_type(0))
    for axis in range(values.ndim - 1, 0, -1):
        ends = np.arange(int(np.prod(values.shape[:axis])) + 1, dtype=np.int32) * values.shape[axis]
        array = pa.ListArray.from_arrays(pa.array(ends), array)
    return array


def _losses(losses: Mapping[str, Any]) -> dict[str, float]:
    row = {}
    for stage in STAGES:
        for convention in CONVENTIONS:
            row[f"loss_{stage}_{convention}"] = losses[stage][convention]
            for channel in CHANNELS:
                row[f"loss_{stage}_{convention}_{channel}"] = (
                    losses[stage].get("channels", {}).get(channel, {}).get(convention)
                )
    for kind, loss in losses.get("without_type", {}).items():
        row |= {f"loss_without_{kind}_{convention}": loss[convention] for convention in CONVENTIONS}
    return row


def _counts(metrics: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {"pruning_ratio": metrics["pruning_ratio"]["total"]}
    row |= {f"processors_{when}": metrics["processors"][when]["total"] for when in ("initial", "kept")}
    initial = metrics["processors"]["initial"].get("by_type", {})
    kept, ratios = metrics["processors"]["kept"].get("by_type", {}), metrics["pruning_ratio"].get("by_type", {})
    for kind, count in initial.items():
        row[f"processors_initial_{kind}"] = count
        row[f"processors_kept_{kind}"] = kept.get(kind, 0)
        row[f"pruning_ratio_{kind}"] = ratios.get(kind)
    return row


def _duration_s(mix: Path) -> float | None:
    """The length of the rendered mix, which is that of the song; None where there is none."""
    from mixgraph.audio.files import probe

    if not mix.is_file():
        return None
    header = probe(mix)
    return header.frames / header.samplerate
