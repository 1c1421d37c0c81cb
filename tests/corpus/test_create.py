"""From a dataset to a corpus: which songs, read how, and begun in one way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mixgraph.corpus.create import create_corpus, dataset_at, listed, read_anew, shard_of
from mixgraph.corpus.folder import Corpus, SongRecord
from mixgraph.errors import ConfigError, OutputError
from tests.corpus.searches import corpus_of, settings
from tests.datasets.trees import mixing_secrets


def test_shards_share_out_all_songs() -> None:
    songs = [SongRecord(f"song {number}", "", "", "", {}) for number in range(10)]
    for parts in (1, 3, 4, 10, 12):
        shards = [shard_of(songs, part, parts) for part in range(1, parts + 1)]
        assert sorted(song.id for shard in shards for song in shard) == sorted(song.id for song in songs)
        sizes = [len(shard) for shard in shards]
        assert max(sizes) - min(sizes) <= 1


def test_a_corpus_is_made_in_one_way(songs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    corpus = corpus_of(songs, folder)
    with pytest.raises(OutputError, match=r"holds a corpus already; go on with it with --resume"):
        corpus_of(songs, folder)
    assert corpus_of(songs, folder, resume=True) == corpus == Corpus.open(folder)
    name, dataset = dataset_at("folder", songs)
    other = settings().model_copy(update={"seed": 6})
    with pytest.raises(ConfigError, match=r"begun with seed = 5, not 6; give the same"):
        create_corpus(folder, name, dataset, ("ash",), other, resume=True)
    with pytest.raises(ConfigError, match=r"begun with align = False, not True"):
        corpus_of(songs, folder, resume=True, align=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "other/letter.txt").write_text("dear")
    with pytest.raises(OutputError, match=r"other: is no corpus, and not empty"):
        corpus_of(songs, tmp_path / "other")


def test_guessed_subgroups_go_by_the_words_that_are_given(tmp_path: Path) -> None:
    truth = mixing_secrets(tmp_path / "songs")
    name, dataset = dataset_at("mixing_secrets", tmp_path / "songs")
    (tmp_path / "songs/Actions_DevilsWords_Full/correspondence.yaml").unlink()
    guessed = [song for song in truth if dataset.entry(song).grouping == "guessed"]
    assert guessed and len(guessed) < len(truth)
    folder, config, words = tmp_path / "corpus", settings(), {"elec": "mine"}
    corpus = create_corpus(folder, name, dataset, tuple(truth), config, words=words)
    assert corpus.song(guessed[0]).layout["subgroups"] == {"mine": ["05_ElecGtr1", "06_ElecGtr2"]}
    assert {song.id for song in corpus.songs if song.guessed} == set(guessed)
    given = [song.id for song in corpus.songs if not song.guessed and not song.fault]
    assert given and all("mine" not in corpus.song(song).layout["subgroups"] for song in given)
    assert read_anew(corpus, guessed).songs == corpus.songs
    with pytest.raises(ConfigError, match=r"begun with words of subgroups = .*mine.*, not those of mixgraph alone"):
        create_corpus(folder, name, dataset, tuple(truth), config, resume=True)


def test_offsets_that_were_found_stay_while_the_tracks_are_the_same(tmp_path: Path) -> None:
    song, place = "Actions_DevilsWords", tmp_path / "songs/Actions_DevilsWords_Full"
    mixing_secrets(tmp_path / "songs")
    groups, whole = place / "correspondence.yaml", (place / "correspondence.yaml").read_text()
    groups.write_text("ElecGtr: [")
    name, dataset = dataset_at("mixing_secrets", tmp_path / "songs")
    corpus = create_corpus(tmp_path / "corpus", name, dataset, (song,), settings(), align=True)
    assert "correspondence.yaml" in corpus.song(song).fault
    groups.write_text(whole)
    corpus = read_anew(corpus, [song])
    mended = corpus.song(song)
    assert not mended.fault and not mended.aligned, "nobody has looked for its offsets yet"
    offsets = {track: {"samples": 0, "seconds": 0.5} for track in mended.layout["tracks"]}
    found = replace(mended, layout=mended.layout | {"offsets": offsets}, aligned=True)
    corpus.replace_song(found)
    corpus = read_anew(corpus, [song])
    assert corpus.song(song) == found
    (place / "tracks/06_ElecGtr2.wav").rename(place / "tracks/06_Bass.wav")
    groups.write_text(whole.replace("06_ElecGtr2", "06_Bass"))
    changed = read_anew(corpus, [song]).song(song)
    assert not changed.aligned and not changed.layout["offsets"]


def test_songs_are_chosen_by_id_pattern_and_list(songs: Path, tmp_path: Path) -> None:
    name, dataset = dataset_at(str(songs))
    lines, array = tmp_path / "lines.txt", tmp_path / "array.json"
    lines.write_text("birch\n\n")
    array.write_text('["ash"]')
    assert listed([], name, dataset) == ("ash", "birch")
    assert listed(["b*"], name, dataset) == listed([str(lines)], name, dataset) == ("birch",)
    assert listed([str(array), "birch"], name, dataset) == ("ash", "birch")
    for only, said in (["aspen"], r"no song fits 'aspen'"), ([str(songs / "ash/mix.wav")], r"no list of songs"):
        with pytest.raises(ConfigError, match=said):
            listed(only, name, dataset)
    with pytest.raises(ConfigError, match=r"unknown dataset 'forest', and no such folder; known: .*folder"):
        dataset_at("forest")
