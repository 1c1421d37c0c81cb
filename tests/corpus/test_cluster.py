"""A Ray cluster of several machines, as far as Ray can tell, of which some die."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from mixgraph.corpus.build import build
from mixgraph.corpus.engines.base import EngineOptions
from mixgraph.corpus.engines.ray import QUIET, RayEngine
from mixgraph.corpus.folder import Corpus
from mixgraph.corpus.status import Overview
from tests.cli.tiny import same_bytes
from tests.corpus.searches import JOB, begun_in, corpus_of, noted, search_here, settings, write_songs

os.environ.update(QUIET)
ray = pytest.importorskip("ray")
from ray.cluster_utils import Cluster  # noqa: E402 - only now is it known to be there

NAMES = ("ash", "birch", "cedar")
STAGE = "fine_tune"
"""In which songs are when their worker or node dies: past a checkpoint."""
CONFIG = settings(fine_tune_steps=1_000)
PATIENCE_SECONDS = 300.0


@pytest.fixture(scope="module")
def grove(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three songs, and the results of unbroken searches of them."""
    folder = tmp_path_factory.mktemp("grove")
    search_here(write_songs(folder / "songs", NAMES), folder / "unbroken", CONFIG)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("stage", [False, True], ids=["shared", "staged"])
def test_a_worker_and_a_node_die(stage: bool, grove: Path, tmp_path: Path) -> None:
    corpus = corpus_of(grove / "songs", tmp_path / "corpus", CONFIG)
    found, lost = build_among_deaths(corpus, stage)
    assert found.counts["done"] == len(NAMES), found.failed
    assert sorted(lost.values()) == ["node", "worker"]
    for song in NAMES:
        same_bytes(corpus.result_folder(song), grove / "unbroken" / song)
        first, *again = begun_in(corpus, song)
        assert len(again) == (1 if song in lost else 0) == found.states[song].attempts - 1
        assert "console:" in first and not any("console:" in part for part in again), "a checkpoint was not used"


def build_among_deaths(corpus: Corpus, stage: bool) -> tuple[Overview, dict[str, str]]:
    """Builds on two nodes, and says what killed which song: its "worker" on the one, or the other "node"."""
    lost: dict[str, str] = {}
    until = time.monotonic() + PATIENCE_SECONDS
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        nodes = [cluster.head_node, cluster.add_node(num_cpus=1)]
        ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
        raylets = [node.all_processes["raylet"][0].process.pid for node in nodes]

        def strike(overview: Overview) -> None:
            if lost:
                return
            # As the corpus has it, so that a staged song has sent its checkpoint home.
            there = {song: state.pid for song, state in overview.running.items() if state.stage.startswith(STAGE)}
            if not there.keys() >= held.keys() or len(held) < len(nodes):
                assert time.monotonic() < until, f"waited in vain for a song on each node: {overview.running}, {held}"
                return
            for song, job in held.items():
                worker = job.parent()
                assert worker and worker.name().startswith("ray::mixgraph") and job.pid == there[song]
                lost[song] = "worker" if worker.ppid() == raylets[0] else "node"
                if lost[song] == "worker":
                    worker.kill()
                else:
                    cluster.remove_node(nodes[1], allow_graceful=False)
                job.resume()

        with holding(raylets, until=lambda: bool(lost)) as held:
            return build(corpus, corpus.songs, RayEngine(corpus, EngineOptions(JOB, stage=stage)), watch=strike), lost
    finally:
        ray.shutdown()
        cluster.shutdown()


@contextmanager
def holding(raylets: list[int], until: Callable[[], bool]) -> Iterator[dict[str, psutil.Process]]:
    """Stops the first job of each node at the stage, however long others take; those held, by their songs."""
    held: dict[str, psutil.Process] = {}
    is_over = threading.Event()

    def hold() -> None:
        free = set(raylets)
        while not until() and not is_over.wait(0.02):
            for raylet in list(free):
                for job in psutil.Process(raylet).children(recursive=True):
                    with suppress(psutil.Error, ValueError):  # it has ended, or is none
                        command = job.cmdline()
                        at = command.index("mixgraph.corpus.job")
                        corpus, song = Corpus.open(command[at + 1]), command[at + 2]
                        state = noted(corpus, song)
                        if state["status"] == "running" and state["stage"].startswith(STAGE):
                            job.suspend()
                            held[song] = job
                            free.remove(raylet)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        yield held
    finally:
        is_over.set()
        thread.join()
        for job in held.values():
            with suppress(psutil.NoSuchProcess):
                job.resume()
