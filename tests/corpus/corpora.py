"""A tiny corpus of real searches: `from tests.corpus.corpora import ...`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import soundfile

from mixgraph.audio.song_file import read_layout
from mixgraph.config import SearchConfig, make_config
from mixgraph.corpus.folder import Corpus, SongRecord, State
from mixgraph.run.api import search
from tests.cli.tiny import write_settings
from tests.engine import RATE, small_song

SONGS = {"one": ("Ann", "CC0"), "two": ("Bob feat. Ann", "CC BY 4.0"), "three": ("", "CC0")}
ENCODINGS = {"bass": "PCM_16", "drums": "PCM_24", "voice": "FLOAT"}
FAILED = "four"


def write_song(folder: Path, seed: int) -> Path:
    """Four seconds, three tracks of different encodings, two in a subgroup, one of them late; the mix is FLAC."""
    gains = [(0.5, 0.4), (0.3, 0.8), (0.7, 0.7)]
    song = small_song(samples=4 * RATE, gains=gains, seed=seed, subgroups={"band": ["bass", "drums"]})
    (folder / "tracks").mkdir(parents=True)
    for name, encoding in ENCODINGS.items():
        soundfile.write(folder / "tracks" / f"{name}.wav", 0.5 * song.track(name).T, RATE, subtype=encoding)
    soundfile.write(folder / "mix.flac", 0.5 * song.mix().T, RATE, subtype="PCM_24")
    text = f'name = "song {seed}"\n[subgroups]\nband = ["bass", "drums"]\n[offsets]\ndrums = 400\n'
    (folder / "song.toml").write_text(text)
    return folder


def tiny_config(folder: Path) -> SearchConfig:
    """One round of pruning after a few steps."""
    tiny = make_config(file=write_settings(folder / "tiny.toml"))
    return tiny.model_copy(update={"prune": tiny.prune.model_copy(update={"rounds": 1, "strategy": "dry_wet"})})


def write_corpus(folder: Path) -> Corpus:
    """Songs in `folder/dry`, and in `folder/corpus` what was found of them; a fourth song failed."""
    config, records = tiny_config(folder), []
    for seed, (name, (artist, licence)) in enumerate(SONGS.items()):
        layout = read_layout(write_song(folder / "dry" / name, seed))
        records.append(SongRecord(name, f"Title of {name}", artist, licence, layout.to_json()))
    failed = replace(records[0], id=FAILED)
    corpus = Corpus(folder / "corpus", "tiny", "folder", config, (*records, failed), {"citation": "A tiny corpus"})
    corpus.save()
    for record in records:
        search(folder / "dry" / record.id, config, output=corpus.result_folder(record.id), device="cpu")
        corpus.set_state(record.id, State(status="done"))
    corpus.set_state(FAILED, State(status="failed", error="the disk was full"))
    return corpus
