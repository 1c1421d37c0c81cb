"""Whatever computes it, wherever, and whoever dies on the way: a song's result is the same to the bit."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mixgraph.corpus.build import build
from mixgraph.corpus.engines.base import ENGINES, EngineOptions
from mixgraph.corpus.engines.ray import QUIET, RayEngine
from mixgraph.corpus.engines.staging import News, files_of, parcel_of, receive, search_parcel
from mixgraph.corpus.folder import CORPUS, Corpus, State
from mixgraph.corpus.status import Overview, overview
from mixgraph.errors import ConfigError, OutputError
from mixgraph.run.events import Stopped
from tests.cli.tiny import same_bytes
from tests.corpus.searches import JOB, corpus_of, is_alive, noted

os.environ.update(QUIET)
ray = pytest.importorskip("ray")

# Ray's own: it leaves sockets and files to the end of the process.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::FutureWarning:ray")


@pytest.fixture(scope="module")
def one_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cluster of this machine, with one CPU."""
    ray.init("local", num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield
    ray.shutdown()


def build_by_ray(corpus: Corpus, *, stage: bool = False, **options: Any) -> Overview:
    engine = RayEngine(corpus, EngineOptions(JOB, stage=stage))
    return build(corpus, options.pop("songs", corpus.songs), engine, **options)


def test_both_engines_are_found() -> None:
    assert set(ENGINES) >= {"local", "ray"}


def test_what_cannot_be_reached_is_said(songs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = corpus_of(songs, tmp_path / "corpus")
    with pytest.raises(ConfigError, match=r"--stage does not work through ray://there:1; run on a machine"):
        RayEngine(corpus, EngineOptions(JOB, ray_address="ray://there:1", stage=True))
    # Whatever cluster this machine may have is not found from there.
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    with pytest.raises(ConfigError, match=r"no Ray cluster at 'auto' .* use --ray-address local"):
        RayEngine(corpus, EngineOptions(JOB))


@pytest.mark.usefixtures("one_machine")
def test_on_a_shared_path(songs: Path, unbroken: Path, tmp_path: Path) -> None:
    corpus = corpus_of(songs, tmp_path / "corpus")
    found = build_by_ray(corpus, songs=[corpus.song("ash")])
    assert found.counts["done"] == 1, found.failed
    same_bytes(corpus.result_folder("ash"), unbroken / "ash")


@pytest.mark.usefixtures("one_machine")
def test_a_machine_that_sees_no_corpus_fails_its_song_and_not_the_build(songs: Path, tmp_path: Path) -> None:
    corpus = corpus_of(songs, tmp_path / "corpus")
    (corpus.folder / CORPUS).unlink()
    found = build_by_ray(corpus)
    assert found.counts["failed"] == 2
    for song in ("ash", "birch"):
        assert "sees no corpus there; put it where all machines see it" in found.failed[song]
        assert found.states[song].attempts == 0


def test_a_song_is_searched_away_from_its_corpus(songs: Path, unbroken: Path, tmp_path: Path) -> None:
    (tmp_path / "songs/birch").mkdir(parents=True)
    (tmp_path / "songs/birch/song.toml").write_text("name = ")
    (tmp_path / "songs/ash").symlink_to(songs / "ash")
    corpus = corpus_of(tmp_path / "songs", tmp_path / "corpus")
    for record in corpus.songs:
        here = {name: file for name, file in files_of(record).items() if file.is_file()}
        for news in search_parcel(parcel_of(corpus, record.id), here, Path.read_bytes, JOB):
            receive(corpus, news)
    found = overview(corpus, corpus.songs)
    assert {song: state.status for song, state in found.states.items()} == {"ash": "done", "birch": "failed"}
    assert f"{tmp_path}/songs/birch/song.toml" in found.failed["birch"]
    same_bytes(corpus.result_folder("ash"), unbroken / "ash")
    assert {path.name for path in (corpus.folder / "songs").iterdir()} == {"ash"}
    said = json.loads((corpus.result_folder("ash") / "provenance.json").read_text())
    there = json.loads((unbroken / "ash/provenance.json").read_text())
    assert said["input_sha256"] == there["input_sha256"]
    assert said["song_folder"] == str(tmp_path / "songs/ash")
    assert said["layout"] == there["layout"] | {"folder": str(tmp_path / "songs/ash")}
    assert "begun on" in corpus.log_file("ash").read_text()


def test_news_that_cannot_be_put_away_name_the_folder(songs: Path, tmp_path: Path) -> None:
    corpus = corpus_of(songs, tmp_path / "corpus")
    logs = corpus.folder / "logs"
    logs.rmdir()
    logs.touch()
    with pytest.raises(OutputError, match=r"corpus/logs: cannot be written"):
        receive(corpus, News(State(), corpus.song("ash"), {"logs/ash.log": b"begun"}))


@pytest.mark.slow
@pytest.mark.usefixtures("one_machine")
@pytest.mark.parametrize("stage", [False, True], ids=["shared", "staged"])
def test_a_stop_leaves_nothing_behind(stage: bool, songs: Path, unbroken: Path, tmp_path: Path) -> None:
    corpus = corpus_of(songs, tmp_path / "corpus")
    seen: list[int] = []

    def watch(overview: Overview) -> None:
        seen.extend(noted(corpus, song)["pid"] for song in overview.running)

    with pytest.raises(Stopped):
        build_by_ray(corpus, stage=stage, watch=watch, should_stop=lambda: bool(seen))
    assert not any(is_alive(pid) for pid in seen)
    # A quick machine may finish one before the word to stop reaches it; none may be left running, or failed.
    assert {corpus.state(song).status for song in ("ash", "birch")} <= {"waiting", "done"}
    found = build_by_ray(corpus, stage=stage)
    assert found.counts["done"] == 2
    for song in ("ash", "birch"):
        same_bytes(corpus.result_folder(song), unbroken / song)
