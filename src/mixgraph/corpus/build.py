"""Searches the songs of a corpus, each in a process of its own, so that whatever happens to one costs no other.

Nothing is known here that is not on disk: whoever comes after this process, however it ended, goes on from there.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from mixgraph.audio.song_file import Layout
from mixgraph.corpus.engines.base import Ended, Engine
from mixgraph.corpus.folder import Corpus, SongRecord, State
from mixgraph.corpus.job import STOP_SECONDS, STOPPED, TAKEN
from mixgraph.corpus.process import what_killed
from mixgraph.corpus.sizes import search_mb
from mixgraph.corpus.status import Overview, overview
from mixgraph.run.events import Stopped

LOOK_SECONDS = 1.0
LOOK_AHEAD = 32
"""How many waiting songs are measured to find one that fits the memory that is left."""


def build(
    corpus: Corpus,
    songs: Sequence[SongRecord],
    engine: Engine,
    *,
    again: bool = False,
    attempts: int = 2,
    watch: Callable[[Overview], None] = lambda overview: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Overview:
    """Searches those songs that are not done, nor failed but with `again`, and says how far they are then.

    A song whose process is killed is begun again from its checkpoint, up to `attempts` times. Songs that somebody else
    works on are left to them. Raises `Stopped` when asked to stop and `OutputError` where the corpus cannot be written,
    both after every process has ended.
    """
    run = _Build(corpus, songs, engine, again, attempts, watch)
    watch(run.overview)
    with engine:
        while run.is_on():
            if should_stop():
                run.stop()
                raise Stopped
            run.step()
    return overview(corpus, songs)


class _Build:
    def __init__(
        self,
        corpus: Corpus,
        songs: Sequence[SongRecord],
        engine: Engine,
        again: bool,
        attempts: int,
        watch: Callable[[Overview], None],
    ) -> None:
        self.corpus, self.engine, self.attempts, self.watch = corpus, engine, attempts, watch
        self.overview = overview(corpus, songs)
        self.states = dict(self.overview.states)
        self.records = {song.id: song for song in songs}
        # The longest first: they would hold up the end, and memory for them is there at the start.
        order = sorted(songs, key=lambda song: -len(song.layout["tracks"]))
        over = ("done",) if again else ("done", "failed")
        self.waiting = [song.id for song in order if self.states[song.id].status not in over]
        self.running: set[str] = set()
        self.killed: Counter[str] = Counter()
        self.stopping = False
        self._memory_mb: dict[str, float] = {}
        self._idle_since = time.monotonic()

    def is_on(self) -> bool:
        """Whether there is anything left to do; songs that others hold are given as long as a stopped job may take."""
        if self.running:
            self._idle_since = time.monotonic()
        patience = STOP_SECONDS + 10 * LOOK_SECONDS
        return bool(self.running or (self.waiting and time.monotonic() - self._idle_since < patience))

    def step(self) -> None:
        """Begins what there is room for, and notes what ended."""
        if not self.stopping:
            self._begin()
        for ended in self.engine.wait(LOOK_SECONDS):
            self._end(ended)
        for song in self.running:
            self.states[song] = self.corpus.state(song)
        self.overview = Overview(dict(self.states), self.overview.tracks)
        self.watch(self.overview)

    def stop(self) -> None:
        """Asks all to stop, and waits until they have."""
        self.stopping = True
        self.engine.stop()
        while self.running:
            self.step()

    def _begin(self) -> None:
        looked_at = 0
        for song in list(self.waiting):
            if looked_at == LOOK_AHEAD or not self.engine.has_room(0):
                break
            state = self.corpus.state(song)
            if state.status == "running":
                continue  # somebody else's
            if state.status in ("done", "failed") and state != self.states[song]:
                self.waiting.remove(song)  # somebody else's, meanwhile
                self.states[song] = state
                continue
            looked_at += 1
            if self.engine.has_room(memory_mb := self._needs(song)):
                self.engine.start(song, state.attempts, memory_mb)
                self.waiting.remove(song)
                self.running.add(song)

    def _needs(self, song: str) -> float:
        """Megabytes: the estimate, and as much again for every time that the song was killed."""
        if song not in self._memory_mb:
            layout = Layout.from_json(self.records[song].layout)
            self._memory_mb[song] = search_mb(layout, self.corpus.config, self.engine.options.job.threads)
        return self._memory_mb[song] * (1 + self.killed[song])

    def _end(self, ended: Ended) -> None:
        song, code = ended.song, ended.code
        self.running.remove(song)
        state = self.corpus.state(song)
        if state.status == "running":
            # It ended without saying how, and something still holds its lock: an orphan of it, or somebody else.
            state = replace(state, status="waiting")
        if state.status == "waiting" and (code == TAKEN or self.stopping):
            self.waiting.append(song)
        elif state.status == "waiting":
            state = self._lost(song, state, ended)
        self.states[song] = state

    def _lost(self, song: str, state: State, ended: Ended) -> State:
        """What to do with a song whose process is gone without a result or an error."""
        log, code = self.corpus.log_file(song), ended.code
        was_killed = code is None or code < 0 or code == STOPPED
        self.killed[song] += 1
        if was_killed and self.killed[song] <= self.attempts:
            self.waiting.insert(0, song)
            return state
        if was_killed:
            how = ended.reason or ("asked to stop" if code == STOPPED else f"killed by {what_killed(code or 0)}")
            times = f"{self.killed[song]} times" if self.killed[song] > 1 else "once"
            cure = f"where memory ran out, fewer --jobs leave it more; see {log}"
            error = f"its process was lost {times}, at last {how}; {cure}"
        else:
            error = ended.reason or f"its process ended with exit code {code} without saying why; see {log}"
        failed = replace(state, status="failed", error=error, seconds_left=None, ended=time.time())
        self.corpus.set_state(song, failed)
        return failed
