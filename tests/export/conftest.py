"""A song and results that hold every type of processor, or linear ones only."""

from __future__ import annotations

import numpy as np
import pytest

from mixgraph.audio.song import Song
from mixgraph.processors.base import DynamicsProcessor
from mixgraph.result.result import Result
from tests.report.sample import SUBGROUPS, make_result, make_song


@pytest.fixture(scope="session")
def song() -> Song:
    """Three tracks, two of them in a subgroup."""
    made, fade = make_song(subgroups=SUBGROUPS, seconds=4), 400
    # From silence to silence: resampling rings, and nothing is heard of what lies outside of a song.
    place = np.arange(made.samples)
    window = np.clip((np.minimum(place, made.samples - place) - 2 * fade) / fade, 0, 1).astype(np.float32)
    faded = {track: window * made.track(track) for track in made.tracks}
    return Song.from_arrays("sample", faded, window * made.mix(), made.sample_rate, SUBGROUPS)


@pytest.fixture(scope="session")
def result(song: Song) -> Result:
    """A graph with every type of processor; dynamics take 10 ms, as people's do."""
    made = make_result(song)
    for group in made.bank.tensors.values():
        if "smoothing_logit" in group:
            group["smoothing_logit"].add_(4.4)
    return made


@pytest.fixture(scope="session")
def linear(song: Song, result: Result) -> Result:
    """The same without compressors and gates."""
    dynamic = [
        node.id for node in result.graph.processors if isinstance(result.processors[node.type], DynamicsProcessor)
    ]
    return make_result(song, result.graph.without(dynamic))
