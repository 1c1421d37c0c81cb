"""A song and results that hold every type of processor, or linear ones only."""

from __future__ import annotations

import pytest

from mixgraph.audio.song import Song
from mixgraph.processors.base import DynamicsProcessor
from mixgraph.result.result import Result
from tests.report.sample import SUBGROUPS, make_result, make_song


@pytest.fixture(scope="session")
def song() -> Song:
    """Three tracks, two of them in a subgroup."""
    return make_song(subgroups=SUBGROUPS, seconds=4)


@pytest.fixture(scope="session")
def result(song: Song) -> Result:
    """A graph with every type of processor."""
    return make_result(song)


@pytest.fixture(scope="session")
def linear(song: Song, result: Result) -> Result:
    """The same without compressors and gates."""
    dynamic = [
        node.id for node in result.graph.processors if isinstance(result.processors[node.type], DynamicsProcessor)
    ]
    return make_result(song, result.graph.without(dynamic))
