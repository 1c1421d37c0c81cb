"""Whatever befalls a song, a builder or the disk costs no other song, and nothing that a checkpoint holds."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mixgraph.corpus.claims import claim, is_claimed
from mixgraph.corpus.create import read_anew
from mixgraph.corpus.engines.base import EngineOptions
from mixgraph.corpus.engines.local import LocalEngine
from mixgraph.corpus.folder import Corpus
from mixgraph.corpus.repeat import to_repeat
from mixgraph.errors import OutputError
from tests.cli.tiny import same_bytes, write_wav
from tests.corpus.searches import (
    ENVIRONMENT,
    JOB,
    SETTINGS,
    begun_in,
    build_here,
    corpus_of,
    is_alive,
    killing,
    noted,
    process_at,
    settings,
    wait_for,
)
from tests.engine import RATE, small_song


def test_songs_fail_and_die_alone(songs: Path, unbroken: Path, tmp_path: Path) -> None:
    own = Path(shutil.copytree(songs, tmp_path / "songs"))
    track, words = own / "birch/tracks/bass.wav", own / "cedar/song.toml"
    whole = track.read_bytes()
    track.write_bytes(whole[: len(whole) // 2])
    words.parent.mkdir()
    words.write_text("name = ")
    corpus = corpus_of(own, tmp_path / "corpus")
    with killing(corpus, "ash", "fine_tune") as killed:
        found = build_here(corpus, jobs=3)
    assert found.counts == {"waiting": 0, "running": 0, "done": 1, "failed": 2}
    assert "bass.wav" in found.failed["birch"] and "cut off" in found.failed["birch"]
    assert "song.toml" in found.failed["cedar"] and "TOML" in found.failed["cedar"]
    assert found.states["birch"].stage == "loading"
    assert "cut off" in corpus.log_file("birch").read_text()

    assert len(killed) == 1 and found.states["ash"].attempts == 2
    same_bytes(corpus.result_folder("ash"), unbroken / "ash")
    first, second = begun_in(corpus, "ash")
    assert "console:" in first and "console:" not in second, "work was done again that a checkpoint held"
    histories = [folder / "history.jsonl" for folder in (corpus.result_folder("ash"), unbroken / "ash")]
    assert histories[0].read_text() == histories[1].read_text()

    assert build_here(corpus).counts["failed"] == 2, "failures are repeated only where that is asked for"
    assert to_repeat(corpus) == ("birch", "cedar")
    track.write_bytes(whole)
    shutil.rmtree(words.parent)
    corpus = read_anew(corpus, to_repeat(corpus))
    found = build_here(corpus, songs=[corpus.song(song) for song in to_repeat(corpus)], again=True)
    assert {song: state.status for song, state in found.states.items()} == {"birch": "done", "cedar": "failed"}
    assert "no song 'cedar'" in found.failed["cedar"]
    assert [len(begun_in(corpus, song)) for song in ("ash", "birch", "cedar")] == [2, 2, 2]
    same_bytes(corpus.result_folder("birch"), unbroken / "birch")


def test_a_song_that_is_killed_again_and_again_fails(songs: Path, tmp_path: Path) -> None:
    corpus = corpus_of(songs, tmp_path / "corpus")
    with killing(corpus, "ash", "loading", times=2) as killed:
        found = build_here(corpus, songs=[corpus.song("ash")], attempts=1)
    assert len(set(killed)) == 2
    assert found.counts["failed"] == 1
    assert "2 times" in found.failed["ash"] and "SIGKILL" in found.failed["ash"]


def test_stopped_and_killed_builders_leave_nothing_behind(songs: Path, unbroken: Path, tmp_path: Path) -> None:
    folder, file = tmp_path / "corpus", tmp_path / "settings.toml"
    file.write_text(SETTINGS)
    words = ["build", str(songs), "-o", str(folder), "--config", str(file), "--only", "ash"]
    corpus = Corpus(folder, "", "", settings(), ())

    def sent(number: signal.Signals, stage: str, *more: str) -> tuple[int, int, str]:
        """Begins a builder, sends it a signal at a stage; its search's process, its exit code, and what it said."""
        command = [sys.executable, "-m", "mixgraph", "corpus", *words, *more]
        builder = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
        pid = process_at(corpus, "ash", stage)
        builder.send_signal(number)
        _, said = builder.communicate(timeout=60)
        return pid, builder.returncode, said

    pid, code, said = sent(signal.SIGINT, "console")
    assert code == 130, said
    assert not is_alive(pid), "the builder left before its search"
    assert f"stopped; continue with `mixgraph corpus build {songs} -o {folder}" in said and "--resume`" in said
    assert noted(corpus, "ash")["status"] == "waiting" and not is_claimed(corpus.lock_file("ash"))

    pid, _, _ = sent(signal.SIGKILL, "fine_tune", "--resume")
    wait_for(lambda: not is_alive(pid))
    assert noted(corpus, "ash")["status"] == "waiting" and not is_claimed(corpus.lock_file("ash"))

    found = build_here(Corpus.open(folder))
    assert found.counts["done"] == 1
    first, second, third = begun_in(corpus, "ash")
    assert "console:" in first and "console:" not in third
    # The word to stop may find the first search a stage later than it was sent; none goes back behind a checkpoint.
    assert not ("console:" in second and "prune" in first)
    same_bytes(corpus.result_folder("ash"), unbroken / "ash")


def test_two_builders_take_no_song_twice(broken: Corpus) -> None:
    other = threading.Thread(target=build_here, args=(broken,))
    other.start()
    found = build_here(broken)
    other.join()
    assert found.counts["failed"] == len(broken.songs)
    assert [len(begun_in(broken, song.id)) for song in broken.songs] == [1] * len(broken.songs)


def test_searches_share_the_memory(broken: Corpus) -> None:
    first, second, third = (song.id for song in broken.songs)
    with LocalEngine(broken, EngineOptions(JOB, jobs=2, memory_mb=100)) as engine:
        assert engine.has_room(1_000), "one that would never fit runs alone"
        engine.start(first, 0, 60)
        assert engine.has_room(40) and not engine.has_room(41)
        engine.start(second, 0, 10)
        assert not engine.has_room(0), "two at once are enough"
        ended: list[str] = []
        wait_for(lambda: ended.extend(over.song for over in engine.wait(1)) or len(ended) == 2)
        assert sorted(ended) == [first, second]
        assert engine.has_room(1_000)
        engine.start(third, 0, 1_000)
        assert not engine.has_room(1)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_costs_no_finished_song(songs: Path, unbroken: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=280k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    try:
        corpus = corpus_of(songs, disk / "corpus")
        shutil.copytree(unbroken / "ash", corpus.result_folder("ash"))
        try:
            error = build_here(corpus).failed["birch"]
        except OutputError as full:  # not even room to say that it failed
            error = str(full)
        assert "disk is full" in error and "free some space" in error
        same_bytes(corpus.result_folder("ash"), unbroken / "ash")
        subprocess.run(["mount", "-o", "remount,size=4m", str(disk)], check=True)
        found = build_here(corpus, again=True)
        assert found.counts["done"] == 2
        assert "console:" not in begun_in(corpus, "birch")[1]
        same_bytes(corpus.result_folder("birch"), unbroken / "birch")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_songs_are_aligned_where_that_is_sure(tmp_path: Path) -> None:
    root, later = tmp_path / "songs", RATE // 4
    for name in ("late", "other"):
        song = small_song(samples=8 * RATE, seed=1)
        mix = small_song(samples=8 * RATE, seed=1 if name == "late" else 2).mix()
        (root / name / "tracks").mkdir(parents=True)
        for track in song.tracks:
            write_wav(root / name / "tracks" / f"{track}.wav", song.track(track).T)
        write_wav(root / name / "mix.wav", np.pad(mix, ((0, 0), (later, 0))).T)
    corpus = corpus_of(root, tmp_path / "corpus", settings(rounds=0), align=True)
    for record in corpus.songs:
        corpus.replace_song(replace(record, aligned=False))
    corpus = Corpus.open(corpus.folder)
    found = build_here(corpus)
    assert found.states["late"].status == "done" and found.states["other"].status == "failed"
    assert "confidence" in found.failed["other"] and found.states["other"].stage == "aligning"
    corpus = Corpus.open(corpus.folder)
    assert [record.aligned for record in corpus.songs] == [True, False]
    offsets = corpus.song("late").layout["offsets"]
    assert set(offsets) == {"bass", "drums", "voice"}
    assert all(offset["seconds"] == pytest.approx(0.25, abs=1e-3) for offset in offsets.values())
    said = json.loads((corpus.result_folder("late") / "provenance.json").read_text())
    assert said["layout"]["offsets"] == offsets
    corpus = read_anew(corpus, ["late", "other"])
    assert corpus.song("late").layout["offsets"] == offsets


def test_a_claim_excludes_and_ends_with_its_holder(tmp_path: Path) -> None:
    file = tmp_path / "song.lock"
    assert not is_claimed(file)
    with claim(file) as first:
        with claim(file) as second:
            assert first and not second and is_claimed(file)
        assert is_claimed(file)
    with claim(file) as again:
        assert again
    script = f"""
import time
from pathlib import Path
from mixgraph.corpus.claims import claim
with claim(Path({str(file)!r})):
    print("held", flush=True)
    time.sleep(60)
"""
    holder = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
    assert holder.stdout and holder.stdout.readline() == "held\n"
    assert is_claimed(file)
    holder.kill()
    holder.communicate()
    assert not is_claimed(file)
