"""Where the files of a corpus's song are, and what they should hash to."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mixgraph.audio.song import Song, load_layout
from mixgraph.audio.song_file import Layout
from mixgraph.config import SearchConfig
from mixgraph.corpus.folder import Corpus, SongRecord
from mixgraph.corpus.places import AUDIO, dataset_root


def layout_of(corpus: Corpus, record: SongRecord, provenance: Mapping[str, Any]) -> Layout:
    """The files of a song, in the roles that its search gave them; a corpus that carries its audio has its own.

    A copy without audio looks for them where the environment variable of its dataset says.
    """
    heard, home = (None, None) if AUDIO in corpus.facts else (provenance.get("layout"), dataset_root(corpus))
    return Layout.from_json(heard or record.layout, (home or corpus.folder) / record.layout["folder"])


def load_dry(layout: Layout, config: SearchConfig) -> Song:
    """The dry tracks and the mix as a search hears them; raises `SongError` where a file is missing or damaged."""
    audio = config.audio
    return load_layout(layout, sample_rate=audio.sample_rate, memory_budget_mb=audio.memory_budget_mb)


def known_hashes(corpus: Corpus, record: SongRecord, provenance: Mapping[str, Any]) -> dict[str, str]:
    """SHA-256 of the files of `layout_of`, by their path from the song's folder, as they were noted."""
    if AUDIO in corpus.facts:
        return corpus.facts[AUDIO]["sha256"].get(record.id, {})
    return provenance.get("input_sha256", {})


def changed_inputs(layout: Layout, hashes: Mapping[str, str]) -> Iterator[str]:
    """One line per file of a song that is missing, unreadable or not what it was."""
    for file in layout.files:
        name = Path(os.path.relpath(file, layout.folder)).as_posix()
        try:
            with file.open("rb") as content:
                found = hashlib.file_digest(content, "sha256").hexdigest()
        except OSError as error:
            yield f"{file}: cannot be read ({error.strerror}); put it back"
            continue
        if found != hashes.get(name):
            yield f"{file}: SHA-256 is {found[:12]}, not {hashes.get(name, 'noted')[:12]}; put back what was searched"
