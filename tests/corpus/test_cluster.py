"""A Ray cluster of several machines, as far as Ray can tell, of which some die."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import psutil
import pytest

from mixgraph.corpus.build import build
from mixgraph.corpus.engines.base import EngineOptions
from mixgraph.corpus.engines.ray import QUIET, RayEngine
from mixgraph.corpus.folder import Corpus
from mixgraph.corpus.status import Overview
from tests.cli.tiny import same_bytes
from tests.corpus.searches import JOB, begun_in, corpus_of, is_alive, search_here, settings, write_songs

os.environ.update(QUIET)
ray = pytest.importorskip("ray")
from ray.cluster_utils import Cluster  # noqa: E402 - only now is it known to be there

NAMES = ("ash", "birch", "cedar")
# Long enough for a staged song to send a checkpoint home.
CONFIG = settings(fine_tune_steps=2_500)


@pytest.fixture(scope="module")
def grove(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three songs, and the results of unbroken searches of them."""
    folder = tmp_path_factory.mktemp("grove")
    search_here(write_songs(folder / "songs", NAMES), folder / "unbroken", CONFIG)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("stage", [False, True], ids=["shared", "staged"])
def test_a_worker_and_a_node_die(stage: bool, grove: Path, tmp_path: Path) -> None:
    for attempt in range(3):
        corpus = corpus_of(grove / "songs", tmp_path / f"corpus{attempt}", CONFIG)
        found, lost = build_among_deaths(corpus, stage)
        assert found.counts["done"] == len(NAMES), found.failed
        if len(lost) == 2:
            break  # else this process was held up for as long as songs were fine-tuned, and killed nothing
    assert len(lost) == 2, "there was never anything to kill"
    for song in NAMES:
        same_bytes(corpus.result_folder(song), grove / "unbroken" / song)
        first, *again = begun_in(corpus, song)
        assert len(again) == (1 if song in lost else 0) == found.states[song].attempts - 1
        assert "console:" in first and not any("console:" in part for part in again), "a checkpoint was not used"


def build_among_deaths(corpus: Corpus, stage: bool) -> tuple[Overview, dict[str, str]]:
    """Builds on two nodes, and says what killed which song: its "worker" on the one, or the other "node"."""
    lost: dict[str, str] = {}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        node = cluster.add_node(num_cpus=1)
        ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
        there = pids_of(node)

        def strike(overview: Overview) -> None:
            for song, state in overview.running.items():
                if song in lost or not state.stage.startswith("fine_tune") or not is_alive(state.pid):
                    continue
                worker = psutil.Process(state.pid).parent()
                raylet = worker.parent() if worker else None
                assert worker and raylet and worker.name().startswith("ray::mixgraph")
                if raylet.pid in there and "node" not in lost.values():
                    cluster.remove_node(node, allow_graceful=False)
                    lost[song] = "node"
                elif raylet.pid not in there and "worker" not in lost.values():
                    worker.kill()
                    lost[song] = "worker"

        return build(corpus, corpus.songs, RayEngine(corpus, EngineOptions(JOB, stage=stage)), watch=strike), lost
    finally:
        ray.shutdown()
        cluster.shutdown()


def pids_of(node: Any) -> set[int]:
    """The processes of a node of a test cluster."""
    return {info.process.pid for infos in node.all_processes.values() for info in infos}
