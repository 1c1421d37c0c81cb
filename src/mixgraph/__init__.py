"""Finds the sparse graph of audio processors that turns dry tracks into a given mix (arXiv 2406.01049).

Names are imported when they are first used: `import mixgraph` is instant, and torch is loaded with the first search.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mixgraph.audio.song import Song, load_song
    from mixgraph.config import SearchConfig, make_config
    from mixgraph.errors import MixgraphError
    from mixgraph.graph.graph import Graph
    from mixgraph.result.result import Result
    from mixgraph.run.api import search

    __version__: str

_HOMES = {
    "Graph": "mixgraph.graph.graph",
    "MixgraphError": "mixgraph.errors",
    "Result": "mixgraph.result.result",
    "SearchConfig": "mixgraph.config",
    "Song": "mixgraph.audio.song",
    "load_song": "mixgraph.audio.song",
    "make_config": "mixgraph.config",
    "search": "mixgraph.run.api",
}

__all__ = [
    "Graph",
    "MixgraphError",
    "Result",
    "SearchConfig",
    "Song",
    "__version__",
    "load_song",
    "make_config",
    "search",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("importlib.metadata").version("mixgraph")
    if name not in _HOMES:
        raise AttributeError(f"module 'mixgraph' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
