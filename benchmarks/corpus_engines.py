"""The same corpus by both engines: equal results, whatever dies on the way, and how many songs an hour.

    python benchmarks/synthetic_songs.py -o SONGS
    python benchmarks/corpus_engines.py SONGS -o RUNS [--json FILE]

RUNS gets three corpora of the same seed, one thread a song: `local-2` and `local-1`, with two workers and one, and
`ray` on a cluster of two nodes of one CPU (`ray.cluster_utils.Cluster`: each node has processes of its own). There a
worker is killed under a song and a node under another, both past a checkpoint; a new node joins. All files of the
results are then compared, metrics.json without what tells times. A run that is there is not repeated. The exit code is
1 where a song has failed, results differ, or there was nothing to kill. --only takes some of the songs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil

from common import save, say, table
from mixgraph.config import make_config
from mixgraph.corpus.build import build
from mixgraph.corpus.create import create_corpus, dataset_at, listed
from mixgraph.corpus.engines.base import ENGINES, EngineOptions
from mixgraph.corpus.engines.ray import QUIET
from mixgraph.corpus.folder import Corpus
from mixgraph.corpus.process import JobOptions
from mixgraph.corpus.status import Overview

JOB = JobOptions(threads=1, device="cpu", checkpoint_seconds=5.0)
WORKERS = {"local-2": 2, "ray": 2, "local-1": 1}
TIMES = {"seconds", "stage_seconds", "peak_memory_mb"}
"""What no two runs have in common, in metrics.json."""
STAGES = ("prune", "fine_tune")
"""A song that is there has written a checkpoint: its console is fitted."""
Run = dict[str, Any]


def main() -> None:
    options = parsed()
    runs = {name: made(options, name) for name in WORKERS}
    columns = ["run", "workers", "songs", "minutes", "songs/h", "songs/h per worker", "load before, after"]
    table("Throughput", columns, map(speed, runs.items()))
    lost = runs["ray"]["lost"].items()
    table("Killed in run ray", ["what", "under", "begun"], [[what, song, times] for song, (what, times) in lost])
    faults = [f"{name}: {song} failed: {error}" for name, run in runs.items() for song, error in run["failed"].items()]
    if {what for _, (what, _) in lost} != {"worker", "node"}:
        faults.append("ray: there was nothing to kill; take more songs, or more steps")
    rows, (first, *others) = [], WORKERS
    for name in others:
        compared = compare(options.output / first, options.output / name, runs[name]["songs"])
        rows += [[name, file, same, of] for file, (same, of) in compared.items()]
    table(f"Files that are the same as in run {first}", ["run", "file", "same", "of"], rows)
    faults += [f"{name}: {of - same} of {of} {file} differ from {first}" for name, file, same, of in rows if same < of]
    save(options, runs=runs, files=rows, faults=faults)
    for fault in faults:
        say(fault)
    sys.exit(bool(faults))


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("songs", type=Path, metavar="SONGS", help="folder of song folders")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="RUNS", help="folder for the corpora")
    parser.add_argument("--only", nargs="+", default=[], metavar="ID", help="songs, or patterns (default: all)")
    parser.add_argument("--console-steps", type=int, default=100, metavar="N", help="of each search (default 100)")
    parser.add_argument("--rounds", type=int, default=2, metavar="N", help="of pruning (default 2)")
    parser.add_argument("--fine-tune-steps", type=int, default=30, metavar="N", help="after each (default 30)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured there")
    return parser.parse_args()


def settings(options: argparse.Namespace) -> Any:
    """The laptop preset with the steps asked for."""
    prune = {"rounds": options.rounds, "fine_tune_steps": options.fine_tune_steps}
    return make_config(changes={"fit": {"console_steps": options.console_steps}, "prune": prune})


def made(options: argparse.Namespace, name: str) -> Run:
    """One run: built, or read where it was built before."""
    folder = options.output / name
    notes = folder.with_suffix(".json")
    if notes.is_file():
        return json.loads(notes.read_text())
    dataset, source = dataset_at(str(options.songs))
    songs = listed(options.only, dataset, source)
    corpus = create_corpus(folder, dataset, source, songs, settings(options))
    say(f"{name}: {len(songs)} songs, {WORKERS[name]} at once")
    began, before = time.perf_counter(), os.getloadavg()[0]
    found, struck = on_cluster(corpus) if name == "ray" else (locally(corpus, WORKERS[name]), {})
    run = {"seconds": time.perf_counter() - began, "load": [before, os.getloadavg()[0]], "songs": songs}
    run |= {"failed": found.failed, "attempts": {song: state.attempts for song, state in found.states.items()}}
    run["lost"] = {song: (what, run["attempts"][song]) for song, what in struck.items()}
    notes.write_text(json.dumps(run, indent=1) + "\n")
    return run


def locally(corpus: Corpus, jobs: int) -> Overview:
    return build(corpus, corpus.songs, ENGINES["local"](corpus, EngineOptions(JOB, jobs=jobs)), watch=progress())


def on_cluster(corpus: Corpus) -> tuple[Overview, dict[str, str]]:
    """The songs on two nodes, and what was killed under which of them."""
    os.environ.update(QUIET)
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        hand, tell = Hand(cluster), progress()
        ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")

        def watch(overview: Overview) -> None:
            tell(overview)
            hand.strike(overview)

        return build(corpus, corpus.songs, ENGINES["ray"](corpus, EngineOptions(JOB)), watch=watch), hand.lost
    finally:
        ray.shutdown()
        cluster.shutdown()


class Hand:
    """Kills a worker of the head node and the whole of the other, each under a song that has a checkpoint."""

    def __init__(self, cluster: Any) -> None:
        self.cluster, self.node = cluster, cluster.add_node(num_cpus=1)
        self.there = {info.process.pid for infos in self.node.all_processes.values() for info in infos}
        self.lost: dict[str, str] = {}

    def strike(self, overview: Overview) -> None:
        """Kills what is to be killed, if it is there."""
        for song, state in overview.running.items():
            if song in self.lost or not state.stage.startswith(STAGES):
                continue
            try:
                worker = psutil.Process(state.pid).parents()[0]
                on_node = worker.parents()[0].pid in self.there
            except (psutil.NoSuchProcess, IndexError):  # it has just ended
                continue
            if on_node and "node" not in self.lost.values():
                self.cluster.remove_node(self.node, allow_graceful=False)
                self.lost[song] = "node"
                self.cluster.add_node(num_cpus=1)
            elif not on_node and "worker" not in self.lost.values():
                worker.kill()
                self.lost[song] = "worker"


def progress() -> Callable[[Overview], None]:
    """Says how many songs are done, whenever there are more."""
    began, told = time.perf_counter(), -1

    def watch(overview: Overview) -> None:
        nonlocal told
        if (over := overview.counts["done"] + overview.counts["failed"]) != told:
            told = over
            say(f"{time.perf_counter() - began:5.0f} s: {over} of {len(overview.states)} over")

    return watch


def speed(named: tuple[str, Run]) -> list[str]:
    """A line of the table."""
    (name, run), workers = named, WORKERS[named[0]]
    hourly = 3600 * len(run["songs"]) / run["seconds"]
    numbers = [f"{number:.1f}" for number in (run["seconds"] / 60, hourly, hourly / workers)]
    return [name, str(workers), str(len(run["songs"])), *numbers, "{:.1f}, {:.1f}".format(*run["load"])]


def compare(one: Path, other: Path, songs: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Of each file of a result, how many songs have the same in both corpora, and how many have it in either."""
    found: dict[str, tuple[int, int]] = {}
    for song in songs:
        folders = [corpus / "songs" / song for corpus in (one, other)]
        for file in sorted({path.name for folder in folders for path in folder.glob("*")}):
            contents = [content(folder / file) for folder in folders]
            same, of = found.get(file, (0, 0))
            found[file] = same + (contents[0] == contents[1] is not None), of + 1
    return found


def content(file: Path) -> Any:
    """Bytes of a file, metrics without times; None if there is no file."""
    if not file.is_file():
        return None
    if file.name != "metrics.json":
        return file.read_bytes()
    return {name: value for name, value in json.loads(file.read_text()).items() if name not in TIMES}


if __name__ == "__main__":
    main()
