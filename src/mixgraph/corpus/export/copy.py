"""A portable copy of a corpus: what was found, and, if asked for, the dry audio with it.

Without audio, the dry files stay referenced by SHA-256 and by their path from the folder of their dataset, which
nothing in the copy names. As `flac`, each song's files come along in `audio/ID`, and the copy's songs are those. As
`webdataset`, files and results come as tars, and the references stay.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Literal

from mixgraph.audio.song_file import Layout
from mixgraph.corpus.export.packing import pack_song
from mixgraph.corpus.export.webdataset import write_shards
from mixgraph.corpus.extras import require
from mixgraph.corpus.folder import Corpus, SongRecord
from mixgraph.corpus.layouts import changed_inputs, known_hashes, layout_of
from mixgraph.corpus.learn.songs import CACHE
from mixgraph.corpus.places import AUDIO, place_in_dataset, what_is_not_said
from mixgraph.corpus.tables import write_tables
from mixgraph.corpus.tables.datasheet import ANSWERS
from mixgraph.errors import OutputError, SongError
from mixgraph.files import output_error, read_json, write_json
from mixgraph.result.result import CURE, PROVENANCE
from mixgraph.run.workspace import partial_folder

AudioForm = Literal["flac", "webdataset"]


def export_corpus(corpus: Corpus, output: Path, *, audio: AudioForm | None = None) -> Corpus:
    """Copies the finished songs of a corpus to `output`, made beside and renamed; dry audio only where `audio` says so.

    Raises `OutputError` where it cannot be written, `SongError` where dry audio is gone or is not what was searched.
    """
    require("pyarrow", "corpus")  # for the tables
    partial = partial_folder(output)
    if output.exists():
        raise OutputError(f"{output}: exists already; choose another folder")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        copied = _copy(corpus, partial, audio)
        write_tables(copied)
        partial.rename(output)
    except OSError as error:
        raise output_error(output, error) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return replace(copied, folder=output)


def _copy(corpus: Corpus, folder: Path, audio: AudioForm | None) -> Corpus:
    """The copy without its tables."""
    if audio and (unsaid := what_is_not_said(corpus)):
        raise SongError(unsaid)
    songs: list[SongRecord] = []
    layouts: dict[str, Layout] = {}
    hashes: dict[str, dict[str, str]] = {}
    for record, result in corpus.results():
        shutil.copytree(corpus.result_folder(record.id), folder / "songs" / record.id)
        _move_to_dataset(corpus, folder / "songs" / record.id / PROVENANCE)
        layout = layouts[record.id] = layout_of(corpus, record, result.provenance)
        if audio:
            for fault in changed_inputs(layout, known_hashes(corpus, record, result.provenance)):
                raise SongError(fault)
        if audio == "flac":
            document, hashes[record.id] = pack_song(layout, folder, Path(AUDIO, record.id))
        else:
            document = result.provenance.get("layout") or record.layout
            # What carries its audio knows the place in the dataset from the result alone.
            folder_then = (document if AUDIO in corpus.facts else record.layout)["folder"]
            document = document | {"folder": place_in_dataset(corpus, folder_then)}
        truth = place_in_dataset(corpus, record.truth) if record.truth else None
        songs.append(replace(record, layout=document, truth=truth))
    facts = {name: value for name, value in corpus.facts.items() if name not in (AUDIO, "root")}
    facts |= {AUDIO: {"sha256": hashes}} if audio == "flac" else {}
    copied = replace(corpus, folder=folder, songs=tuple(songs), facts=facts)
    copied.save()
    for name in (CACHE, ANSWERS):
        source = corpus.folder / name
        if source.exists():
            (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    if audio == "webdataset":
        write_shards(copied, layouts, folder / AUDIO)
    return copied


def _move_to_dataset(corpus: Corpus, provenance: Path) -> None:
    """Lets a result say where in its dataset its song was, not where on this machine."""
    known = read_json(provenance, CURE)
    if folder := known.get("song_folder"):
        known["song_folder"] = place_in_dataset(corpus, folder)
    if layout := known.get("layout"):
        known["layout"] = layout | {"folder": place_in_dataset(corpus, layout["folder"])}
    write_json(provenance, known)
