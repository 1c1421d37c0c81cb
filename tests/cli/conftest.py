"""A tiny song folder, tiny settings, and a finished search of both, made once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.cli.tiny import search, write_settings, write_song


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Searches in this process and in others must add numbers in the same order."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """A fresh song folder, to be spoilt."""
    return write_song(tmp_path / "song")


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """A file of tiny settings."""
    return write_settings(tmp_path / "tiny.toml")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The result of an unbroken search; its song lies beside it, in `song`."""
    folder = tmp_path_factory.mktemp("finished")
    search(write_song(folder / "song"), folder / "result")
    return folder / "result"


@pytest.fixture
def result_copy(finished: Path, tmp_path: Path) -> Path:
    """A result to be spoilt."""
    return Path(shutil.copytree(finished, tmp_path / "result"))
