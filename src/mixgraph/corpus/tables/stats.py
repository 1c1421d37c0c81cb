"""A corpus in numbers, as JSON holds them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from mixgraph.corpus.extras import require
from mixgraph.corpus.folder import Corpus, Status
from mixgraph.corpus.tables.split import SPLITS, split_group

Row = Mapping[str, Any]


def corpus_stats(corpus: Corpus, rows: Sequence[Row] | None = None) -> dict[str, Any]:
    """Counts, hours, mean losses and pruning ratios, seconds and failures; `rows` as in songs.parquet, if at hand."""
    require("pyarrow", "corpus")
    from mixgraph.corpus.tables.fields import CONVENTIONS, STAGES
    from mixgraph.corpus.tables.rows import song_row

    found = [song_row(corpus, *pair) for pair in corpus.results()] if rows is None else rows
    states = {song.id: corpus.state(song.id) for song in corpus.songs}
    statuses = [state.status for state in states.values()]
    prefix = "pruning_ratio_"
    types = sorted({name.removeprefix(prefix) for row in found for name in row if name.startswith(prefix)})
    return {
        "corpus": corpus.name,
        "dataset": corpus.dataset,
        "songs": {"total": len(states)} | dict.fromkeys(get_args(Status), 0) | Counter(statuses),
        "splits": {split: _members(row for row in found if row["split"] == split) for split in SPLITS},
        "licences": dict(Counter(row["licence"] for row in found).most_common()),
        "hours": sum(row["duration_s"] or 0 for row in found) / 3_600,
        "tracks": sum(len(row["tracks"]) for row in found),
        "processors": {when: sum(row[f"processors_{when}"] for row in found) for when in ("initial", "kept")},
        "loss": {
            stage: {convention: _mean(found, f"loss_{stage}_{convention}") for convention in CONVENTIONS}
            for stage in STAGES
        },
        "pruning_ratio": {
            "total": _mean(found, "pruning_ratio"),
            "by_type": {kind: _mean(found, f"{prefix}{kind}") for kind in types},
        },
        "search_s": {"total": sum(row["search_s"] or 0 for row in found), "mean": _mean(found, "search_s")},
        "failures": {song: state.error for song, state in states.items() if state.status == "failed"},
    }


def _members(rows: Any) -> dict[str, int]:
    chosen = list(rows)
    return {"songs": len(chosen), "artists": len({split_group(row["artist"], row["title"]) for row in chosen})}


def _mean(rows: Sequence[Row], name: str) -> float | None:
    """The mean over the songs that have a value; None where none has."""
    values = [row[name] for row in rows if row.get(name) is not None]
    return sum(values) / len(values) if values else None
