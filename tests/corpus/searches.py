"""Songs whose searches last a second or two, corpora of them, and hands that kill."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from mixgraph.config import SearchConfig, make_config
from mixgraph.corpus.build import build
from mixgraph.corpus.create import create_corpus, dataset_at
from mixgraph.corpus.engines.base import EngineOptions
from mixgraph.corpus.engines.local import LocalEngine
from mixgraph.corpus.folder import Corpus
from mixgraph.corpus.process import JobOptions
from mixgraph.corpus.status import Overview
from mixgraph.run.api import search
from tests.cli.tiny import write_wav
from tests.engine import RATE, small_song

SOURCE = str(Path(__file__).resolve().parents[2] / "src")
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join([SOURCE, os.environ.get("PYTHONPATH", "")])}
"""In which other processes find mixgraph."""
JOB = JobOptions(threads=1, device="cpu", checkpoint_seconds=0.2)
# Stages last long enough for a hand to find the one it waits for.
SETTINGS = f"""\
seed = 5

[audio]
sample_rate = {RATE}
segment_seconds = 0.25

[console]
chain = "eg"

[processors]
equalizer_bins = 8

[loss]
fft_sizes = [128, 256]
mel_bands = 16
weighting_taps = 31
warm_up_seconds = 0.05

[fit]
console_steps = 100

[prune]
strategy = "dry_wet"
rounds = 1
fine_tune_steps = 400
evaluation_hop_seconds = 0.2
tolerance = 0.05
"""


def settings(**steps: int) -> SearchConfig:
    """A console of equalizers and gains, one round of pruning."""
    config = make_config(changes=tomllib.loads(SETTINGS))
    return config.model_copy(update={"prune": config.prune.model_copy(update=steps)})


def write_songs(root: Path, names: Sequence[str]) -> Path:
    """Song folders of two seconds and three tracks, each of other noise."""
    for seed, name in enumerate(names):
        song = small_song(samples=2 * RATE, gains=[(0.5, 0.4), (0.3, 0.8), (0.7, 0.7)], seed=seed)
        (root / name / "tracks").mkdir(parents=True)
        for track in song.tracks:
            write_wav(root / name / "tracks" / f"{track}.wav", song.track(track).T)
        write_wav(root / name / "mix.wav", song.mix().T)
    return root


def corpus_of(songs: Path, folder: Path, config: SearchConfig | None = None, **options: Any) -> Corpus:
    """The corpus of all songs of a folder."""
    name, dataset = dataset_at(str(songs))
    return create_corpus(folder, name, dataset, tuple(dataset.songs), config or settings(), **options)


def build_here(corpus: Corpus, *, jobs: int = 1, memory_mb: float | None = None, **options: Any) -> Overview:
    """All songs of a corpus, by processes of this machine."""
    engine = LocalEngine(corpus, EngineOptions(JOB, jobs=jobs, memory_mb=memory_mb))
    return build(corpus, options.pop("songs", corpus.songs), engine, **options)


def search_here(songs: Path, output: Path, config: SearchConfig | None = None) -> Path:
    """The results of unbroken searches of all songs of a folder, in this process."""
    threads = torch.get_num_threads()
    torch.set_num_threads(JOB.threads)
    for song in songs.iterdir():
        search(song, config or settings(), output=output / song.name, device="cpu")
    torch.set_num_threads(threads)
    return output


def begun_in(corpus: Corpus, song: str) -> list[str]:
    """What the log of a song says of each time that it was begun."""
    return corpus.log_file(song).read_text().split(" INFO begun on ")[1:]


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def noted(corpus: Corpus, song: str) -> dict[str, Any]:
    """What the state file of a song says, be it true or not."""
    file = corpus.folder / "states" / f"{song}.json"
    return json.loads(file.read_text()) if file.is_file() else {"status": "waiting", "stage": "", "pid": 0}


def wait_for(what: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Waits until something is true."""
    until = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.01)
    return found


def process_at(corpus: Corpus, song: str, stage: str) -> int:
    """Waits until a song is in a stage; the id of its process."""

    def there() -> int:
        state = noted(corpus, song)
        return state["pid"] if state["status"] == "running" and state["stage"].startswith(stage) else 0

    return wait_for(there)


@contextmanager
def killing(corpus: Corpus, song: str, stage: str, times: int = 1) -> Iterator[list[int]]:
    """Meanwhile kills the process of a song, so often, whenever it gets to a stage; the list has those killed."""
    killed: list[int] = []

    def kill() -> None:
        while len(killed) < times:
            pid = process_at(corpus, song, stage)
            if pid not in killed:
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
            time.sleep(0.01)

    thread = threading.Thread(target=kill)
    thread.start()
    yield killed
    thread.join()
