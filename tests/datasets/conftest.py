"""Every dataset as a tiny tree, and a cache that is no one's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from mixgraph.datasets.base import Dataset, open_dataset
from tests.datasets.expected import Expected, Tree
from tests.datasets.trees import TREES


@dataclass(frozen=True)
class Tiny:
    """A tiny dataset on disk, opened, and what is in it."""

    tree: Tree
    dataset: Dataset
    songs: dict[str, Expected]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Decoded stems go here."""
    monkeypatch.setenv("MIXGRAPH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(params=TREES)
def tiny(request: pytest.FixtureRequest, tmp_path: Path) -> Tiny:
    """Each of the tiny datasets."""
    tree = TREES[request.param]
    root = tmp_path / "dataset"
    root.mkdir()
    songs = tree.build(root)
    return Tiny(tree, open_dataset(tree.dataset, root), songs)
