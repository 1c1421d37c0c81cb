"""A tiny corpus, searched once, and copies of it to be spoilt."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mixgraph.corpus.folder import Corpus
from mixgraph.corpus.tables import write_tables
from tests.corpus.corpora import write_corpus
from tests.corpus.searches import corpus_of, search_here, write_songs


@pytest.fixture(scope="session")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Three searched songs and a failed one, with tables; its dry songs lie beside it, in `dry`."""
    corpus = write_corpus(tmp_path_factory.mktemp("searched"))
    write_tables(corpus)
    return corpus


@pytest.fixture
def copied(searched: Corpus, tmp_path: Path) -> Corpus:
    """A copy of the corpus; its dry songs are those of the original."""
    return Corpus.open(shutil.copytree(searched.folder, tmp_path / "corpus"))


@pytest.fixture(scope="session")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two songs to build corpora of."""
    return write_songs(tmp_path_factory.mktemp("songs"), ["ash", "birch"])


@pytest.fixture(scope="session")
def unbroken(songs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of unbroken searches of both."""
    return search_here(songs, tmp_path_factory.mktemp("unbroken"))


@pytest.fixture
def broken(tmp_path: Path) -> Corpus:
    """A corpus of songs that fail at once."""
    for name in ("ash", "birch", "cedar"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "song.toml").write_text("name = ")
    return corpus_of(tmp_path, tmp_path / "corpus")
