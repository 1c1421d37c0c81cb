"""A corpus as tables: songs.parquet, nodes.parquet and edges.parquet, made from its results alone.

The same results give the same bytes. Every column carries its description and unit in the file (`Column` in `fields`).
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mixgraph.corpus.extras import require
from mixgraph.corpus.folder import Corpus
from mixgraph.errors import ResultError
from mixgraph.files import write_bytes

if TYPE_CHECKING:
    import pyarrow as pa

TABLES: Final = ("songs", "nodes", "edges")
ROWS_PER_GROUP: Final = 16_384


def write_tables(corpus: Corpus) -> None:
    """Writes the three tables and DATASHEET.md of what is finished; raises `ResultError` or `OutputError`."""
    from mixgraph.corpus.tables.datasheet import write_datasheet

    tables = make_tables(corpus)
    for name, table in tables.items():
        write_bytes(table_file(corpus.folder, name), encode(table))
    write_datasheet(corpus, tables["songs"].to_pylist())


def make_tables(corpus: Corpus) -> dict[str, pa.Table]:
    """The tables by name, in memory; raises `ResultError` where results of one corpus do not fit together."""
    require("pyarrow", "corpus")
    import pyarrow as pa

    from mixgraph.corpus.tables import fields, rows

    songs, nodes, edges, types = [], [], [], set()
    shapes: rows.Shapes = {}
    for record, result in corpus.results():
        songs.append(rows.song_row(corpus, record, result))
        nodes.append(rows.node_table(corpus, record, result))
        edges.append(rows.edge_table(corpus, record, result))
        types.update(result.metrics["processors"]["initial"].get("by_type", {}), result.bank.ids)
        for key, shape in rows.parameter_shapes(result).items():
            if shapes.setdefault(key, shape) != shape:
                where, what = corpus.result_folder(record.id), ".".join(key)
                cure = "a corpus is searched with one configuration; build another corpus for other settings"
                raise ResultError(f"{where}: {what} has shape {shape}, in songs before it {shapes[key]}; {cure}")
    names = sorted(types)
    song_schema = fields.schema("songs", fields.song_columns(names))
    node_schema = fields.schema("nodes", (*fields.NODE_COLUMNS, *fields.parameter_columns(shapes)))
    edge_schema = fields.schema("edges", fields.EDGE_COLUMNS)
    # A song lacks the columns of types that it has not: they become nulls.
    found = pa.concat_tables([node_schema.empty_table(), *nodes], promote_options="default")
    return {
        "songs": pa.Table.from_pylist(songs, song_schema),
        "nodes": found.select(node_schema.names).cast(node_schema),
        "edges": pa.concat_tables([edge_schema.empty_table(), *edges]),
    }


def read_table(folder: Path, name: str) -> pa.Table:
    """One table; raises `ResultError` naming the file if it is missing or damaged."""
    require("pyarrow", "corpus")
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = table_file(folder, name)
    try:
        return pq.ParquetFile(file).read()
    except FileNotFoundError:
        raise ResultError(f"{file}: missing; write it with `mixgraph corpus tables {folder}`") from None
    except (OSError, pa.ArrowException) as error:
        raise ResultError(
            f"{file}: cannot be read ({error}); write it with `mixgraph corpus tables {folder}`"
        ) from None


def table_file(folder: Path, name: str) -> Path:
    """Where a table of a corpus is."""
    return folder / f"{name}.parquet"


def encode(table: pa.Table) -> memoryview:
    """A table as the bytes of a Parquet file."""
    import pyarrow.parquet as pq

    content = io.BytesIO()
    pq.write_table(table.combine_chunks(), content, compression="zstd", row_group_size=ROWS_PER_GROUP)
    return content.getbuffer()
