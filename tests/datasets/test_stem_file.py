"""Stem files: decoded once, into a cache, as a decoder that is not ours would."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mixgraph.audio.song import load_layout
from mixgraph.datasets.base import Entry, open_dataset
from mixgraph.datasets.stem_file import STEMS, cache_folder, duration, unpacked
from mixgraph.datasets.survey import examine
from mixgraph.demo import KEPT_SECONDS, STEM_RATE, decode_stems, stem_file
from mixgraph.errors import OutputError, SongError
from tests.audio.folders import RATE
from tests.datasets.expected import FRAMES
from tests.datasets.stem_files import chirp, write_stem_file


def one_song(root: Path) -> Entry:
    """A dataset of one stem file."""
    write_stem_file(root / "train" / "A - B.stem.mp4", [chirp(number) for number in range(5)])
    return next(open_dataset("musdb18", root).entries())


def test_nothing_is_decoded_before_it_is_needed(tmp_path: Path, cache: Path) -> None:
    entry = one_song(tmp_path)
    assert duration(tmp_path / "train" / "A - B.stem.mp4") == (FRAMES / RATE, RATE)
    assert not cache.exists()
    with pytest.raises(SongError, match="no such audio file"):
        load_layout(entry.layout, sample_rate=RATE)
    entry.prepare()
    written = {path: path.stat().st_mtime_ns for path in cache.rglob("*.flac")}
    assert set(written) == set(entry.layout.tracks.values())
    entry.prepare()
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*") if path.is_file()} == written


def test_what_was_interrupted_is_completed(tmp_path: Path) -> None:
    entry = one_song(tmp_path)
    entry.prepare()
    before = entry.layout.tracks["bass"].read_bytes()
    entry.layout.tracks["bass"].unlink()
    entry.prepare()
    assert entry.layout.tracks["bass"].read_bytes() == before


def test_a_changed_file_is_decoded_again(tmp_path: Path) -> None:
    entry = one_song(tmp_path)
    assert entry.packed is not None
    os.utime(entry.packed, ns=(1, 1))
    assert set(unpacked(entry.packed).values()).isdisjoint(entry.layout.tracks.values())


def test_a_real_stem_file(tmp_path: Path) -> None:
    source = stem_file()
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / source.name).symlink_to(source)
    entry = next(open_dataset("musdb18", tmp_path).entries())
    assert (entry.id, entry.artist, entry.title) == (
        "The_Easton_Ellises_-_Falcon_69",
        "The Easton Ellises",
        "Falcon 69",
    )
    entry.prepare()
    start, end = (round(second * STEM_RATE) for second in KEPT_SECONDS)
    for name, samples in decode_stems(source).items():
        heard, rate = soundfile.read(entry.layout.tracks[name], dtype="float32")
        assert rate == STEM_RATE
        np.testing.assert_allclose(heard.T[:, start:end], np.clip(samples, -1, 1), atol=2**-22)


@pytest.mark.parametrize("content", [b"no stem file", b""])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes, cache: Path) -> None:
    entry = one_song(tmp_path)
    assert entry.packed is not None
    entry.packed.write_bytes(content)
    with pytest.raises(SongError, match=r"A - B.stem.mp4: not a file of 5 audio streams .*; download it again"):
        entry.prepare()
    assert not any(cache.rglob("*.flac"))
    with pytest.raises(SongError, match="not a file of 5 audio streams"):
        duration(entry.packed)


def test_a_file_with_too_few_streams_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "A - B.stem.mp4"
    write_stem_file(file, [chirp(number) for number in range(4)])
    with pytest.raises(SongError, match="not a file of 5 audio streams"):
        duration(file)


def test_a_link_to_nowhere_is_its_songs_fault_alone(tmp_path: Path) -> None:
    one_song(tmp_path)
    (tmp_path / "train" / "C - D.stem.mp4").symlink_to(tmp_path / "gone")
    dataset = open_dataset("musdb18", tmp_path)
    reports = {song: examine(dataset, song).error for song in dataset.songs}
    assert reports["A_-_B"] == ""
    assert reports["C_-_D"].startswith(f"{tmp_path / 'train' / 'C - D.stem.mp4'}: cannot be read")


def test_a_cache_that_cannot_be_is_named(tmp_path: Path, cache: Path) -> None:
    entry = one_song(tmp_path)
    cache.touch()
    with pytest.raises(OutputError, match=r"cache/stems/.*: cannot be written .*; choose another place"):
        entry.prepare()


def test_a_missing_decoder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = one_song(tmp_path)
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(SongError, match="needs the package av; pip install av"):
        entry.prepare()


def test_where_the_cache_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    assert cache_folder() == cache
    monkeypatch.delenv("MIXGRAPH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "mixgraph"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "mixgraph"
    assert list(STEMS) == ["drums", "bass", "other", "vocals"]
