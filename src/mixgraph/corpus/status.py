"""How far a corpus is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, final, get_args

from mixgraph.corpus.folder import Corpus, SongRecord, State, Status


@final
@dataclass(frozen=True)
class Overview:
    """The states of some songs at one moment; `tracks` are their numbers of tracks."""

    states: Mapping[str, State]
    tracks: Mapping[str, int]

    @property
    def counts(self) -> dict[str, int]:
        """How many songs are in each state."""
        counts = Counter(state.status for state in self.states.values())
        return {status: counts[status] for status in get_args(Status)}

    @property
    def failed(self) -> dict[str, str]:
        """Why songs failed."""
        return {song: state.error for song, state in self.states.items() if state.status == "failed"}

    @property
    def running(self) -> dict[str, State]:
        """The songs that are being searched."""
        return {song: state for song, state in self.states.items() if state.status == "running"}

    @property
    def seconds_left(self) -> float | None:
        """An estimate until the last song is done, if as many run at once as now; None until a song has been finished.

        A song is taken to cost what finished ones cost per track; running ones know better.
        """
        told = [(song, state) for song, state in self.states.items() if state.status == "done" and state.attempts == 1]
        tracks = sum(self.tracks[song] for song, _ in told)
        if not tracks:
            return None
        rate = sum(state.ended - state.began for _, state in told) / tracks
        left = sum(rate * self.tracks[song] for song, state in self.states.items() if state.status == "waiting")
        for song, state in self.running.items():
            left += rate * self.tracks[song] if state.seconds_left is None else state.seconds_left
        return left / max(1, len(self.running))

    def to_json(self) -> dict[str, Any]:
        """Counts, failures with their reasons, stages of running songs, and seconds left."""
        stages = {song: state.stage for song, state in self.running.items()}
        return {"songs": self.counts, "failed": self.failed, "running": stages, "seconds_left": self.seconds_left}


def overview(corpus: Corpus, songs: Iterable[SongRecord]) -> Overview:
    """How far those songs are, as their files say."""
    songs = list(songs)
    return Overview({song.id: corpus.state(song.id) for song in songs}, tracks_of(songs))


def tracks_of(songs: Iterable[SongRecord]) -> dict[str, int]:
    """Numbers of tracks by song."""
    return {song.id: len(song.layout["tracks"]) for song in songs}
