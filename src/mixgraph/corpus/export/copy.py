"""A portable copy of a corpus: what was found, and, if asked for, the dry audio with it.

Without audio, the dry files stay referenced by path and SHA-256. As `flac`, each song's files come along in `audio/ID`,
and the copy's songs are those. As `webdataset`, files and results come as tars, and the references stay.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Literal

from mixgraph.audio.song_file import Layout
from mixgraph.corpus.export.packing import pack_song
from mixgraph.corpus.export.webdataset import write_shards
from mixgraph.corpus.folder import Corpus, SongRecord
from mixgraph.corpus.layouts import AUDIO, changed_inputs, known_hashes, layout_of
from mixgraph.corpus.learn.songs import CACHE
from mixgraph.corpus.tables import write_tables
from mixgraph.corpus.tables.datasheet import ANSWERS
from mixgraph.errors import OutputError, SongError
from mixgraph.files import output_error
from mixgraph.run.workspace import partial_folder

AudioForm = Literal["flac", "webdataset"]


def export_corpus(corpus: Corpus, output: Path, *, audio: AudioForm | None = None) -> Corpus:
    """Copies the finished songs of a corpus to `output`, made beside and renamed; dry audio only where `audio` says so.

    Raises `OutputError` where it cannot be written, `SongError` where dry audio is gone or is not what was searched.
    """
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
    songs: list[SongRecord] = []
    layouts: dict[str, Layout] = {}
    hashes: dict[str, dict[str, str]] = {}
    for record, result in corpus.results():
        shutil.copytree(corpus.result_folder(record.id), folder / "songs" / record.id)
        layout = layouts[record.id] = layout_of(corpus, record, result.provenance)
        if audio:
            for fault in changed_inputs(layout, known_hashes(corpus, record, result.provenance)):
                raise SongError(fault)
        if audio == "flac":
            document, hashes[record.id] = pack_song(layout, folder, Path(AUDIO, record.id))
        else:
            document = result.provenance.get("layout") or record.layout
        songs.append(replace(record, layout=document))
    facts = {name: value for name, value in corpus.facts.items() if name != AUDIO}
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
