"""The search of one song of a corpus, in a process of its own: `python -m mixgraph.corpus.job CORPUS SONG`.

It holds the song's claim as long as it lives, writes the song's state and, to its output, the song's log. The end of
its input asks it to stop, so whoever began it does so by closing a pipe, or by dying.
"""

from __future__ import annotations

import argparse
import faulthandler
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from mixgraph.audio.song import Song
from mixgraph.audio.song_file import Layout
from mixgraph.corpus.claims import claim
from mixgraph.corpus.folder import Corpus, SongRecord, State, Status
from mixgraph.corpus.layouts import load_dry
from mixgraph.errors import MixgraphError, SongError
from mixgraph.memory import keep_memory
from mixgraph.run.events import Progress, Stopped
from mixgraph.threads import wait_briefly

DONE, FAILED, TAKEN, STOPPED = 0, 2, 75, 130
"""What the process exits with; TAKEN: somebody else works on the song (EX_TEMPFAIL of sysexits.h)."""
STOP_SECONDS = 30.0
"""How long a search may take to notice that it shall stop, before the process ends with the last checkpoint."""
STATE_SECONDS = 5.0

logger = logging.getLogger("mixgraph.corpus")


def main(argv: Sequence[str] | None = None) -> int:
    """Searches a song from wherever it stands; returns an exit code."""
    parser = argparse.ArgumentParser(prog="mixgraph.corpus.job", description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("song")
    parser.add_argument("--seen", type=int, help="how often it was begun before: if that has changed, it is taken")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--checkpoint-seconds", type=float, default=30.0)
    options = parser.parse_args(argv)
    faulthandler.enable()
    logging.basicConfig(stream=sys.stdout, format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    try:
        corpus = Corpus.open(options.corpus)
        record = corpus.song(options.song)
        with claim(corpus.lock_file(record.id)) as is_ours:
            # Or it is free again, because somebody else has just come to its end.
            if not is_ours or options.seen not in (None, corpus.state(record.id).attempts):
                return TAKEN
            return Job(corpus, record, options).run()
    except MixgraphError as error:  # not of the song but of the corpus, say a full disk under its state
        logger.error("%s", error)
        return FAILED


class Job:
    """One song, claimed."""

    def __init__(self, corpus: Corpus, record: SongRecord, options: argparse.Namespace) -> None:
        self.corpus, self.record, self.options = corpus, record, options
        before = corpus.state(record.id)
        who = {"host": socket.gethostname(), "pid": os.getpid()}
        self.state = State("running", before.attempts + 1, "loading", began=time.time(), **who)
        self.asked_to_stop = threading.Event()

    def run(self) -> int:
        """Searches, and writes how it went; anything that goes wrong is this song's alone."""
        self._write(self.state)
        logger.info("begun on %s, process %d, attempt %d", self.state.host, self.state.pid, self.state.attempts)
        self._heed()
        try:
            self._search()
        except Stopped:
            return self._end("waiting", STOPPED)
        except MixgraphError as error:
            logger.error("%s", error)
            return self._end("failed", FAILED, str(error))
        except Exception as error:
            logger.exception("unexpected")
            what = f"{type(error).__name__}: {error}; see {self.corpus.log_file(self.record.id)}"
            return self._end("failed", FAILED, what)
        return self._end("done", DONE)

    def _search(self) -> None:
        keep_memory()
        wait_briefly()
        song = load_dry(self._layout(), self.corpus.config)
        if self.corpus.facts.get("align") and not self.record.aligned:
            song = load_dry(self._aligned_layout(song), self.corpus.config)
        # Only now, so that a song that cannot be searched says so seconds earlier.
        import torch

        from mixgraph.run.api import search

        torch.set_num_threads(self.options.threads)
        search(
            song,
            self.corpus.config,
            output=self.corpus.result_folder(self.record.id),
            device=self.options.device,
            resume=True,
            watch=self._watcher(),
            should_stop=self.asked_to_stop.is_set,
            checkpoint_seconds=self.options.checkpoint_seconds,
        )

    def _layout(self) -> Layout:
        """The song's files; raises `SongError` where it cannot be searched."""
        if self.record.fault:
            raise SongError(self.record.fault)
        layout = Layout.from_json(self.record.layout)
        if layout.mix is None:
            raise SongError(f"{layout.folder}: has no mix; add one, or make one with `mixgraph corpus synthesise`")
        return layout

    def _aligned_layout(self, song: Song) -> Layout:
        """The song's files with offsets as found, which the corpus keeps; raises `SongError` where none is sure."""
        from mixgraph.audio.alignment import aligned, find_alignment

        self._write(replace(self.state, stage="aligning"))
        found = find_alignment(song)
        layout = aligned(song, found)
        logger.info("tracks start %+.4f s later (confidence %.0f %%)", found.offset_seconds, 100 * found.confidence)
        if found.drifts:
            logger.warning("the clocks of tracks and mix differ by %.0f ppm", found.drift_ppm)
        self.record = replace(self.record, layout=layout.to_json(), aligned=True)
        self.corpus.replace_song(self.record)
        song.close()
        return layout

    def _watcher(self) -> Callable[[Progress], None]:
        last = 0.0

        def watch(progress: Progress) -> None:
            nonlocal last
            stage = stage_of(progress)
            if stage != self.state.stage:
                logger.info("%s: loss %.3f, %d processors", stage, progress.loss, progress.processors_left)
            if stage != self.state.stage or time.monotonic() - last > STATE_SECONDS:
                last = time.monotonic()
                self._write(replace(self.state, stage=stage, seconds_left=progress.seconds_left))

        return watch

    def _heed(self) -> None:
        """Stops after the current step at the end of the input or at a signal, such as Slurm's before time is up."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, lambda *_: self.asked_to_stop.set())

        def wait_for_end() -> None:
            # Not sys.stdin: a thread that waits in there makes Python abort at its end.
            while os.read(0, 4096):
                pass
            self.asked_to_stop.set()
            time.sleep(STOP_SECONDS)
            try:
                self._end("waiting", STOPPED)
            finally:
                os._exit(STOPPED)

        threading.Thread(target=wait_for_end, daemon=True).start()

    def _write(self, state: State) -> None:
        self.state = state
        self.corpus.set_state(self.record.id, state)

    def _end(self, status: Status, code: int, error: str = "") -> int:
        logger.info("%s", status)
        line = " ".join(error.split())
        self._write(replace(self.state, status=status, error=line, seconds_left=None, ended=time.time()))
        return code


def stage_of(progress: Progress) -> str:
    """Stage and round, such as `prune 2/4`."""
    if progress.stage in ("prune", "fine_tune"):
        return f"{progress.stage} {progress.round}/{progress.rounds}"
    return progress.stage


if __name__ == "__main__":
    sys.exit(main())
