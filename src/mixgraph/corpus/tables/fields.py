"""What the columns of a corpus's tables are: names with units, types, and a line on each that the files carry along."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import pyarrow as pa

from mixgraph.processors.base import PROCESSORS

SCHEMA_VERSION: Final = 1
STAGES: Final = {"plain_sum": "of the tracks' plain sum", "console": "of the full console", "pruned": "of the graph"}
CONVENTIONS: Final = {"target": "divided by the target's norm", "published": "divided by the estimate's norm"}
CHANNELS: Final = {"left_right": "mean of left and right", "mid": "mid", "side": "side"}
UNITS: Final = {"db": "dB", "ms": "ms", "s": "s", "hz": "Hz", "mb": "MB (10^6 bytes)"}


class Column(NamedTuple):
    """One column of a table: the unit ends its name."""

    name: str
    type: pa.DataType
    description: str

    def field(self) -> pa.Field:
        """The Arrow field, with description and unit as its metadata."""
        unit = UNITS.get(self.name.rpartition("_")[2])
        metadata = {"description": self.description} | ({"unit": unit} if unit else {})
        return pa.field(self.name, self.type, metadata=metadata)


TEXT, WHOLE, REAL, SINGLE = pa.string(), pa.int32(), pa.float64(), pa.float32()
INPUT = pa.struct([("file", TEXT), ("sha256", TEXT)])
SONG_AND_SPLIT = (
    Column("song_id", TEXT, "the song; its result is in songs/SONG_ID"),
    Column("split", TEXT, "train, validation or test; one artist is in one split only"),
)
EDGE_COLUMNS = (
    *SONG_AND_SPLIT,
    Column("from_index", WHOLE, "the node that sends, by its index among the song's nodes"),
    Column("to_index", WHOLE, "the node that receives, by its index; the same edge twice adds the signal twice"),
    Column("from_node", TEXT, "the node that sends, by its id"),
    Column("to_node", TEXT, "the node that receives, by its id"),
)
NODE_COLUMNS = (
    *SONG_AND_SPLIT,
    Column("index", WHOLE, "position among the song's nodes, from 0; edges refer to it"),
    Column("node_id", TEXT, "unique in its song"),
    Column("type", TEXT, "in (a dry track), mix (a sum), out, or a processor's name"),
    Column("track", TEXT, "the track whose signal alone passes here; null behind the first sum"),
    Column("subgroup", TEXT, "the subgroup whose signal alone passes here; a track in none is its own; null at out"),
    Column("audio_file", TEXT, "of an in: the dry track's file, from the song's folder"),
    Column("audio_sha256", TEXT, "of an in: SHA-256 of that file"),
    Column("dry_wet", SINGLE, "of a processor: share of its wet signal, 0 to 1"),
)


def song_columns(types: Sequence[str]) -> tuple[Column, ...]:
    """The columns of songs.parquet, where consoles had processors of these types."""
    return (
        *SONG_AND_SPLIT,
        Column("title", TEXT, "the song's title"),
        Column("artist", TEXT, "who plays it; empty where the dataset does not say"),
        Column("dataset", TEXT, "the dataset that it is from"),
        Column("licence", TEXT, "the licence of its audio, in the dataset's words"),
        Column("aligned", pa.bool_(), "whether its tracks and its mix start together in their files"),
        Column("duration_s", REAL, "length of the mix"),
        Column("sample_rate_hz", WHOLE, "the rate at which the graph works"),
        Column("tracks", pa.list_(TEXT), "names of the dry tracks that reach the output"),
        Column("subgroups", pa.list_(TEXT), "names of the subgroups that the song names"),
        *_loss_columns(types),
        Column("processors_initial", WHOLE, "processors of the full console"),
        Column("processors_kept", WHOLE, "processors of the graph"),
        Column("pruning_ratio", REAL, "share of the console's processors that were removed"),
        *(column for kind in types for column in _type_columns(kind)),
        Column("search_s", REAL, "time that the search took"),
        Column("peak_memory_mb", REAL, "most memory that the search took"),
        Column("song_folder", TEXT, "where the song was when it was searched, from the folder of its dataset"),
        Column("mix_file", TEXT, "the target's file, from the song's folder"),
        Column("mix_sha256", TEXT, "SHA-256 of that file"),
        Column("inputs", pa.list_(INPUT), "every file that was read, from the song's folder, with its SHA-256"),
        Column("seed", pa.int64(), "seed of everything random"),
        Column("config_sha256", TEXT, "SHA-256 of `config`"),
        Column("config", TEXT, "all settings of the search, as JSON with sorted keys"),
        Column("mixgraph_version", TEXT, "the version that made the result"),
        Column("torch_version", TEXT, "the version of PyTorch that computed it"),
    )


def parameter_columns(shapes: Mapping[tuple[str, str], tuple[int, ...]]) -> tuple[Column, ...]:
    """The physical parameters of nodes.parquet: a column TYPE_PARAMETER of float32, nested as deep as its shape."""
    columns = []
    for (kind, name), shape in sorted(shapes.items()):
        about = inspect.getdoc(PROCESSORS[kind]) or ""
        sizes = f", shape ({', '.join(map(str, shape))})" if shape else ""
        text = f"{name} of {kind} nodes{sizes}; null elsewhere. {' '.join(about.split())}"
        columns.append(Column(f"{kind}_{name}", nested_type(len(shape)), text))
    return tuple(columns)


def nested_type(depth: int) -> pa.DataType:
    """float32 in so many lists."""
    return pa.list_(nested_type(depth - 1)) if depth else SINGLE


def schema(table: str, columns: Sequence[Column]) -> pa.Schema:
    """The Arrow schema of a table, with the version of our schema."""
    metadata = {"mixgraph.table": table, "mixgraph.schema_version": str(SCHEMA_VERSION)}
    return pa.schema([column.field() for column in columns], metadata=metadata)


def _loss_columns(types: Sequence[str]) -> list[Column]:
    columns = []
    for stage, what in STAGES.items():
        for convention, how in CONVENTIONS.items():
            name, text = f"loss_{stage}_{convention}", f"audio loss {what}, spectral convergence {how}"
            columns.append(Column(name, REAL, text))
            columns += [Column(f"{name}_{key}", REAL, f"{text}: {title}") for key, title in CHANNELS.items()]
    for kind in types:
        for convention, how in CONVENTIONS.items():
            text = f"audio loss with every kept {kind} bypassed, spectral convergence {how}; null where none was kept"
            columns.append(Column(f"loss_without_{kind}_{convention}", REAL, text))
    return columns


def _type_columns(kind: str) -> tuple[Column, ...]:
    return (
        Column(f"processors_initial_{kind}", WHOLE, f"{kind} processors of the full console"),
        Column(f"processors_kept_{kind}", WHOLE, f"{kind} processors of the graph"),
        Column(f"pruning_ratio_{kind}", REAL, f"share of the console's {kind} processors that were removed"),
    )
