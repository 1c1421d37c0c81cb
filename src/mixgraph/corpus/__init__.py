"""Many songs: build a corpus of mixing graphs, keep it, check it, learn from it.

Names are imported when they are first used: only some need torch, and PyTorch Geometric is an extra.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mixgraph.corpus.folder import Corpus
    from mixgraph.corpus.learn.graphs import GraphDataset
    from mixgraph.corpus.learn.networks import to_networkx
    from mixgraph.corpus.learn.songs import SongDataset

_HOMES = {
    "Corpus": "mixgraph.corpus.folder",
    "GraphDataset": "mixgraph.corpus.learn.graphs",
    "SongDataset": "mixgraph.corpus.learn.songs",
    "to_networkx": "mixgraph.corpus.learn.networks",
}

__all__ = ["Corpus", "GraphDataset", "SongDataset", "to_networkx"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'mixgraph.corpus' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
