"""A copy of a corpus loads, verifies and renders to the same bits; dry audio comes along only if asked for."""

from __future__ import annotations

import gc
import io
import json
import re
import shutil
import tarfile
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from webdataset.compat import WebDataset

from mixgraph.audio.song import load_layout
from mixgraph.cli import main
from mixgraph.corpus.export.copy import export_corpus
from mixgraph.corpus.export.packing import pack, plain_name
from mixgraph.corpus.export.webdataset import write_shards
from mixgraph.corpus.folder import Corpus
from mixgraph.corpus.layouts import layout_of
from mixgraph.corpus.places import place_in_dataset
from mixgraph.corpus.tables import TABLES, read_table, table_file
from mixgraph.corpus.verify import verify
from mixgraph.errors import OutputError, ResultError, SongError
from mixgraph.result.result import Result
from mixgraph.result.song import load_own_song
from tests.corpus.corpora import SONGS
from tests.engine import RATE

VARIABLE = "MIXGRAPH_SONGS"
AUDIO = {".wav", ".flac", ".tar"}


def samples(*shards: Path) -> list[dict[str, Any]]:
    """What the package `webdataset` reads."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves its files to the garbage collector
        found = list(WebDataset([str(shard) for shard in shards], shardshuffle=False))
        gc.collect()
    return found


def test_without_being_asked_no_dry_audio_is_copied(searched, tmp_path, monkeypatch):
    assert main(["corpus", "export", str(searched.folder), "-o", str(tmp_path / "copy")]) == 0
    copy = Corpus.open(tmp_path / "copy")
    audio = [path for path in copy.folder.rglob("*") if path.suffix in AUDIO]
    assert {path.relative_to(copy.folder).as_posix() for path in audio} == {f"songs/{song}/mix.flac" for song in SONGS}
    for name in TABLES:
        assert table_file(copy.folder, name).read_bytes() == table_file(searched.folder, name).read_bytes()
    monkeypatch.delenv(VARIABLE, raising=False)
    assert "set MIXGRAPH_SONGS" in next(verify(copy, sample=1))
    with pytest.raises(SongError, match="set MIXGRAPH_SONGS"):
        export_corpus(copy, tmp_path / "heard", audio="flac")
    monkeypatch.setenv(VARIABLE, str(shutil.copytree(searched.folder.parent / "dry", tmp_path / "moved")))
    assert list(verify(copy, sample=1)) == []
    assert list(verify(export_corpus(copy, tmp_path / "heard", audio="flac"), sample=1)) == []


@pytest.mark.parametrize("audio", [None, "flac", "webdataset"])
def test_nothing_in_a_copy_names_folders_of_this_machine(searched, tmp_path, audio):
    home = searched.folder.parent
    root = replace(searched, facts=searched.facts | {"root": str(home / "dry")})
    whose = replace(searched.songs[0], truth=str(home / "dry" / "one" / "truth"))
    copy = export_corpus(replace(root, songs=(whose, *searched.songs[1:])), tmp_path / "copy", audio=audio)
    again = export_corpus(copy, tmp_path / "again")
    for one in (copy, again):
        for file in (path for path in one.folder.rglob("*") if path.is_file()):
            content = read_table(one.folder, file.stem).to_pylist() if file.suffix == ".parquet" else file.read_bytes()
            written = str(content).encode() if isinstance(content, list) else content
            for place in (home, tmp_path, Path.home(), Path(__file__).parents[2]):
                assert str(place).encode() not in written, file
    assert [row["song_folder"] for row in read_table(copy.folder, "songs").to_pylist()] == list(SONGS)
    assert copy.songs[0].truth == "one/truth" and again.songs[1].layout["folder"] == "two"
    with pytest.raises(ResultError, match="names its song only as one of a dataset"):
        load_own_song(Result.load(copy.result_folder("one")), copy.result_folder("one"))


def test_a_song_outside_of_its_dataset_is_known_by_its_name_alone(searched):
    corpus = replace(searched, facts={"root": "/data/songs"})
    assert place_in_dataset(corpus, "/data/songs/a/b") == "a/b"
    assert place_in_dataset(corpus, "/home/ann/secret/c") == "c"
    assert place_in_dataset(corpus, "a/b") == "a/b"


def test_with_flac_it_renders_to_the_same_bits_wherever_it_lies(searched, tmp_path):
    output = tmp_path / "copy"
    assert main(["corpus", "export", str(searched.folder), "-o", str(output), "--with-audio", "flac"]) == 0
    moved = shutil.move(output, tmp_path / "elsewhere")
    copy = Corpus.open(moved)
    for (record, result), (known, original_result) in zip(copy.results(), searched.results(), strict=True):
        layout = layout_of(copy, record, result.provenance)
        assert all(path.is_relative_to(moved) for path in layout.files)
        with load_layout(layout, sample_rate=RATE) as song:
            with load_layout(layout_of(searched, known, original_result.provenance), sample_rate=RATE) as original:
                assert song.subgroups == original.subgroups and song.tracks == original.tracks
                assert np.array_equal(song.mix(), original.mix())
                expected = original_result.render(original)
            assert np.array_equal(result.render(song), expected)
    assert list(verify(copy, sample=3)) == []
    again = export_corpus(copy, tmp_path / "again", audio="flac")
    assert list(verify(again, sample=1)) == []


def test_with_webdataset_the_package_reads_the_same_bits(searched, tmp_path):
    copy = export_corpus(searched, tmp_path / "copy", audio="webdataset")
    found = {}
    for sample in samples(*(copy.folder / "audio").glob("*.tar")):
        about = json.loads(sample["json"])
        found[about["song_id"]] = about, sample
    assert set(found) == set(SONGS)
    for record, result in searched.results():
        about, sample = found[record.id]
        layout = layout_of(searched, record, result.provenance)
        for track in about["tracks"]:
            frames, _ = soundfile.read(io.BytesIO(sample[track["file"]]), dtype="float32")
            assert np.array_equal(frames, soundfile.read(layout.tracks[track["name"]], dtype="float32")[0])
            assert track["offset"]["samples"] == (400 if track["name"] == "drums" else 0)
        assert {track["name"]: track["subgroup"] for track in about["tracks"]}["bass"] == "band"
        mix, _ = soundfile.read(io.BytesIO(sample[about["mix"]]), dtype="float32")
        assert layout.mix
        assert np.array_equal(mix, soundfile.read(layout.mix, dtype="float32")[0])
        folder = tmp_path / record.id
        folder.mkdir()
        for name in ("graph.json", "parameters.safetensors", "metrics.json", "provenance.json"):
            (folder / name).write_bytes(sample[name])
        with load_layout(layout, sample_rate=RATE) as song:
            assert np.array_equal(Result.load(folder).render(song), result.render(song))


def test_shards_are_of_one_split_and_closed_at_their_size(searched, tmp_path):
    layouts = {record.id: layout_of(searched, record, result.provenance) for record, result in searched.results()}
    whole = tmp_path / "whole"
    done = Corpus(searched.folder, "tiny", "folder", searched.config, searched.songs[:3], searched.facts)
    write_shards(done, layouts, whole)
    write_shards(done, layouts, tmp_path / "small", shard_bytes=1)
    assert len(list((tmp_path / "small").iterdir())) == len(SONGS) > len(list(whole.iterdir()))
    for shard in (*whole.iterdir(), *(tmp_path / "small").iterdir()):
        with tarfile.open(shard) as tar:
            songs = [tar.extractfile(name) for name in tar.getnames() if re.fullmatch(r"\d+\.json", name)]
            splits = {json.load(song)["split"] for song in songs if song}
        assert splits == {shard.name.split("-")[0]}
    before = {path.name: path.read_bytes() for path in whole.iterdir()}
    write_shards(done, layouts, whole)
    assert before == {path.name: path.read_bytes() for path in whole.iterdir()}


@pytest.mark.parametrize("encoding", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_packing_keeps_every_sample(tmp_path, encoding):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.random.default_rng(0).uniform(-1, 1, (999, 2)), 44_100, subtype=encoding)
    suffix, content = pack(path)
    assert suffix == (".flac" if encoding in ("PCM_U8", "PCM_16", "PCM_24") else ".wav")
    packed, rate = soundfile.read(io.BytesIO(content), dtype="float64")
    assert rate == 44_100
    assert np.array_equal(packed, soundfile.read(path, dtype="float64")[0])


def test_names_fit_every_file_system():
    assert plain_name("Björk: a/b?. ") == "Björk_ a_b_"
    assert plain_name("...") == "_"


def test_it_refuses_to_overwrite_and_to_copy_what_was_not_searched(copied, tmp_path):
    (tmp_path / "there").mkdir()
    with pytest.raises(OutputError, match="exists already"):
        export_corpus(copied, tmp_path / "there")
    folder = copied.result_folder("one")
    provenance = json.loads((folder / "provenance.json").read_text())
    provenance["input_sha256"]["tracks/bass.wav"] = "0" * 64
    (folder / "provenance.json").write_text(json.dumps(provenance))
    with pytest.raises(SongError, match=r"bass\.wav"):
        export_corpus(copied, tmp_path / "copy", audio="flac")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("copy")] == []
