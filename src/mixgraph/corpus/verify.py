"""Is a corpus what it says? Every file is read, every input hashed, and a sample of songs rendered again."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from mixgraph.audio.files import decode, read_audio
from mixgraph.corpus.folder import Corpus, SongRecord
from mixgraph.corpus.layouts import changed_inputs, known_hashes, layout_of, load_dry
from mixgraph.corpus.places import what_is_not_said
from mixgraph.corpus.tables import make_tables, read_table, table_file
from mixgraph.corpus.tables.datasheet import DATASHEET
from mixgraph.errors import MixgraphError
from mixgraph.files import read_json
from mixgraph.report.search_history import FILE as HISTORY
from mixgraph.report.search_history import read_history
from mixgraph.result.result import GRAPH, Result

RELATIVE_TOLERANCE: Final = 1e-3
"""Of a loss that is measured again: other machines and thread counts add in another order."""
ROUNDING: Final = 1e-5
AUDIO_TOLERANCE_DB: Final = -60.0
"""Of the error of a mix that is rendered again, below the mix."""
CURE: Final = "remove the song's folder and run `mixgraph corpus build --resume`, or restore it from a backup"


def verify(corpus: Corpus, *, sample: int, seed: int = 0, device: str | torch.device = "cpu") -> Iterator[str]:
    """One line per fault; `sample` songs, drawn by `seed`, are rendered and their loss is compared with the stored."""
    done = [record for record in corpus.songs if corpus.result_folder(record.id).is_dir()]
    if unsaid := what_is_not_said(corpus):
        yield unsaid
    sound, unjudged = [], set()
    for record in done:
        faults = list(check_song(corpus, record))
        yield from faults
        if faults:
            unjudged.add(record.id)
        else:
            sound.append(record)
    yield from check_tables(corpus, sound, unjudged=unjudged)
    if not (corpus.folder / DATASHEET).is_file():
        yield f"{corpus.folder / DATASHEET}: missing; write it with `mixgraph corpus tables {corpus.folder}`"
    drawn = random.Random(seed).sample(sound, min(sample, len(sound)))
    for record in drawn:
        yield from check_sound(corpus, record, device)


def check_song(corpus: Corpus, record: SongRecord) -> Iterator[str]:
    """What is wrong with the files of one song, its dry audio among them."""
    folder = corpus.result_folder(record.id)
    try:
        result = Result.load(folder)
        for _ in decode(folder / "mix.flac", result.config.audio.sample_rate):
            pass
        yield from _check_values(folder / GRAPH, result)
        facts = result.provenance
        yield from changed_inputs(layout_of(corpus, record, facts), known_hashes(corpus, record, facts))
        if not (folder / HISTORY).is_file():
            yield f"{folder / HISTORY}: missing; {CURE}"
        read_history(folder)
    except MixgraphError as error:
        yield str(error)


def check_tables(corpus: Corpus, songs: Sequence[SongRecord], *, unjudged: Collection[str] = ()) -> Iterator[str]:
    """Where the tables do not say what the results of these songs say, or know songs that are in neither list."""
    cure = f"write it again with `mixgraph corpus tables {corpus.folder}`"
    try:
        for name, expected in make_tables(replace(corpus, songs=tuple(songs))).items():
            file, stored = table_file(corpus.folder, name), read_table(corpus.folder, name)
            if stored.equals(expected):
                continue
            if stored.schema.names != expected.schema.names and not unjudged:
                yield f"{file}: has other columns than its results have; {cure}"
                continue
            found, wanted = _by_song(stored), _by_song(expected)
            for song in sorted({*found, *wanted}.difference(unjudged)):
                if song not in wanted:
                    yield f"{corpus.result_folder(song)}: missing, though {file.name} has the song; {CURE}"
                elif not _same_rows(found.get(song, []), wanted[song]):
                    yield f"{file}: song '{song}' is not as its result says; {cure}"
    except MixgraphError as error:
        yield str(error)


def check_sound(corpus: Corpus, record: SongRecord, device: str | torch.device = "cpu") -> Iterator[str]:
    """Where a song, rendered again, has another loss or sounds different."""
    folder = corpus.result_folder(record.id)
    try:
        result = Result.load(folder)
        with load_dry(layout_of(corpus, record, result.provenance), result.config) as song:
            now, mix = result.evaluate(song, device=device).to_json(), result.render(song, device=device)
        for convention in ("target", "published"):
            loss, stored = now[convention], result.metrics["loss"]["pruned"][convention]
            if abs(loss - stored) > RELATIVE_TOLERANCE * abs(stored):
                yield f"{folder}: its {convention} loss is {loss:.5f}, not the stored {stored:.5f}; {CURE}"
        heard = read_audio(folder / "mix.flac", result.config.audio.sample_rate)
        # FLAC holds nothing above full scale.
        error = _level_db(heard - np.clip(mix, -1, 1)) - _level_db(mix) if heard.shape == mix.shape else np.inf
        if error > AUDIO_TOLERANCE_DB:
            yield f"{folder / 'mix.flac'}: is not what the graph renders (error {error:.0f} dB); {CURE}"
    except MixgraphError as error:
        yield str(error)


def _check_values(file: Path, result: Result) -> Iterator[str]:
    """graph.json says in physical units what parameters.safetensors holds raw."""
    physical, weights = result.physical(), result.bank.dry_wet()
    for node in read_json(file, CURE)["nodes"]:
        if node["id"] not in weights:
            continue
        stored = node.get("parameters", {}) | {"dry_wet": node.get("dry_wet")}
        values: dict[str, Any] = {name: torch.nan_to_num(value) for name, value in physical[node["id"]].items()}
        for name, value in (values | {"dry_wet": weights[node["id"]]}).items():
            if not same_value(stored.get(name), value):
                yield f"{file}: {name} of node '{node['id']}' is not that of parameters.safetensors; {CURE}"


def same_value(one: Any, other: Any) -> bool:
    """Equality, for numbers and lists of them up to `ROUNDING`: another machine's exponential ends in other bits."""
    try:
        first, second = (np.asarray(value, dtype=np.float64) for value in (one, other))
    except (TypeError, ValueError):
        return one == other
    return first.shape == second.shape and np.allclose(first, second, rtol=ROUNDING, atol=ROUNDING, equal_nan=True)


def _by_song(table: Any) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in table.to_pylist():
        found.setdefault(row["song_id"], []).append(row)
    return found


def _same_rows(some: list[dict[str, Any]], others: list[dict[str, Any]]) -> bool:
    pairs = zip(some, others, strict=False)
    return len(some) == len(others) and all(
        same_value(one.get(key), other[key]) for one, other in pairs for key in other
    )


def _level_db(signal: np.ndarray) -> float:
    return 10 * float(np.log10(np.mean(np.square(signal, dtype=np.float64)) + 1e-20))
