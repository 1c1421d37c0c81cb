"""How much memory a search is taken to need."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixgraph.audio.song_file import Layout
from mixgraph.config import make_config
from mixgraph.corpus.sizes import search_mb
from tests.corpus.searches import corpus_of, write_songs


def test_segments_that_are_fitted_side_by_side_each_need_their_own(tmp_path: Path) -> None:
    corpus = corpus_of(write_songs(tmp_path / "songs", ["ash"]), tmp_path / "corpus")
    layout = Layout.from_json(corpus.songs[0].layout)

    def needs(segments: int, threads: int) -> float:
        changes = {"fit": {"segments_per_step": segments}, "prune": {"rounds": 0}}
        return search_mb(layout, make_config(changes=changes), threads)

    one = needs(1, 1)
    # No more of them at once than there are threads.
    assert needs(4, 1) == needs(1, 4) == one
    more = needs(2, 4) - one
    assert more > 0
    assert needs(4, 4) - one == pytest.approx(3 * more)
    assert needs(4, 2) - one == pytest.approx(more)
