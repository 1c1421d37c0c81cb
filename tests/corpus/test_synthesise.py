"""Songs with known graphs: what is written is what the graph makes, and all of it is heard."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from mixgraph.audio.song import Song, load_song
from mixgraph.cli import main
from mixgraph.corpus.scoring.score import score
from mixgraph.corpus.synthetic.ranges import Chance, Ranges
from mixgraph.corpus.synthetic.song_folder import TRUTH
from mixgraph.corpus.synthetic.synthesise import PLAN, Plan, synthesise
from mixgraph.corpus.synthetic.truth import AUDIBLE
from mixgraph.datasets.base import Entry, open_dataset
from mixgraph.errors import OutputError, SongError
from mixgraph.fit.evaluate import evaluate, evaluation_starts
from mixgraph.fit.problem import Problem
from mixgraph.result.result import Result
from tests.corpus.sources import SILENT, SUBGROUPS, TRACKS, plan_config, write_sources
from tests.engine import RATE

SONGS = 4
BIT = 2**-23
"""One step of 24 bits."""


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sources(tmp_path_factory.mktemp("sources"))


@pytest.fixture(scope="module")
def entries(sources: Path) -> list[Entry]:
    return list(open_dataset("folder", sources).entries())


@pytest.fixture(scope="module")
def made(entries: list[Entry], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four songs of two sources."""
    return synthesise(entries, tmp_path_factory.mktemp("made") / "songs", plan())


def plan(**changes: Any) -> Plan:
    """Three or four tracks over two to three seconds; every processor often."""
    often = Ranges(presence=dict.fromkeys(Ranges().presence, (0.6, 0.6)))
    return replace(Plan(SONGS, 3, (3, 4), (2.0, 3.0), often, plan_config()), **changes)


def load(folder: Path) -> tuple[Song, Result]:
    return load_song(folder, sample_rate=RATE), Result.load(folder / TRUTH)


def contents(folder: Path) -> dict[str, Any]:
    """Everything in a song folder, but for where it lies."""
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    provenance = json.loads(files.pop(f"{TRUTH}/provenance.json"))
    assert provenance.pop("song_folder") == provenance["layout"].pop("folder") == str(folder)
    return files | provenance


def test_the_truth_renders_the_mix(made: list[Path]) -> None:
    assert len(made) == SONGS
    for folder in made:
        song, truth = load(folder)
        assert np.abs(truth.render(song) - song.mix()).max() <= BIT


def test_every_processor_is_heard(made: list[Path]) -> None:
    """Bypassed, each one costs what it is said to, here measured anew; so no search may drop it from the truth."""
    for folder in made:
        song, truth = load(folder)
        problem = Problem(song, truth.config, torch.device("cpu"))
        starts = evaluation_starts(problem)
        complete = evaluate(problem, truth.graph, truth.bank, starts).target.total
        assert truth.metrics["bypass"].keys() == {node.id for node in truth.graph.processors}
        for node, said in truth.metrics["bypass"].items():
            cost = evaluate(problem, truth.graph.without([node]), truth.bank, starts).target.total - complete
            assert cost == pytest.approx(said, abs=1e-3) and said >= AUDIBLE > 2 * truth.config.prune.tolerance - 1e-9


def test_every_type_comes_about(made: list[Path]) -> None:
    assert {kind for folder in made for kind in load(folder)[1].bank.ids} == set(Ranges().presence)


def test_settings_are_in_their_ranges(made: list[Path]) -> None:
    """As stored, after all maps there and back; levels may have moved, by one number for a song."""
    ranges, slack = Ranges(), 1e-3
    limits = {
        ("compressor", "ratio"): ranges.compressor_ratio,
        ("compressor", "knee_db"): ranges.compressor_knee_db,
        ("compressor", "smoothing_ms"): ranges.compressor_smoothing_ms,
        ("noise_gate", "ratio"): ranges.gate_ratio,
        ("noise_gate", "knee_db"): ranges.gate_knee_db,
        ("noise_gate", "smoothing_ms"): ranges.gate_smoothing_ms,
    }
    wet = {"compressor": ranges.compressor_wet, "multitap_delay": ranges.delay_wet, "reverb": ranges.reverb_wet}
    checked = set()
    for folder in made:
        truth = load(folder)[1]
        physical, weights = truth.physical(), truth.bank.dry_wet()
        for node in truth.graph.processors:
            for (kind, name), limit in limits.items():
                if kind == node.type:
                    value = float(physical[node.id][name])
                    assert limit.low * (1 - slack) <= value <= limit.high * (1 + slack), (node.id, name)
                    checked.add((kind, name))
            if node.type in wet:
                assert wet[node.type].low - slack <= weights[node.id] <= wet[node.type].high + slack
            else:
                assert weights[node.id] == 1
            if node.type == "stereo_imager":
                assert 3 - slack <= abs(float(physical[node.id]["side_gain_db"])) <= 9 + slack
            if node.type == "reverb":
                times, hz = physical[node.id]["t60_s"], torch.linspace(0, RATE / 2, 33)
                middle = times[:, (hz >= 250) & (hz < 4_000)]
                assert 0.3 - slack <= float(middle.min()) <= float(middle.max()) <= 3 + slack
    assert checked == limits.keys()


def test_mixes_are_loud_enough_and_do_not_clip(made: list[Path]) -> None:
    ranges = Ranges()
    for folder in made:
        mix = load(folder)[0].mix()
        peak_db, level_db = 20 * np.log10(np.abs(mix).max()), 10 * np.log10(np.square(mix).mean())
        assert peak_db < 0
        # Either the level or the peak is where it was drawn; what was taken out for being inaudible moves both a bit.
        at_level = ranges.mix_level_db.low - 1 < level_db < ranges.mix_level_db.high + 1
        assert at_level or ranges.mix_peak_db.low - 1 < peak_db


def test_tracks_are_excerpts_of_sounding_ones_and_subgroups_are_kept(made: list[Path]) -> None:
    for folder in made:
        song, truth = load(folder)
        source = truth.provenance["synthetic"]["source"]
        assert 3 <= len(song.tracks) <= 4 and SILENT not in song.tracks
        assert 2 * RATE <= song.samples <= 3 * RATE and source["seconds"] == song.samples / RATE
        kept = {group: tuple(name for name in names if name in song.tracks) for group, names in SUBGROUPS.items()}
        assert song.subgroups == {group: names for group, names in kept.items() if names}
        single = {f"subgroup:{group}/" for group, names in song.subgroups.items() if len(names) == 1}
        assert not [node.id for node in truth.graph.processors if node.id.startswith(tuple(single))]


def test_dry_tracks_are_the_source_but_for_fades(made: list[Path], sources: Path) -> None:
    song, truth = load(made[0])
    source = truth.provenance["synthetic"]["source"]
    dry = load_song(sources / source["id"], sample_rate=RATE, require_mix=False)
    start, fade = round(source["start_s"] * RATE), round(0.01 * RATE)
    for name in song.tracks:
        expected = dry.track_segment(start, song.samples, [name])[0]
        np.testing.assert_allclose(song.track(name)[:, fade:-fade], expected[:, fade:-fade], atol=BIT)
        assert not song.track(name)[:, [0, -1]].any()
        channels = soundfile.info(song.layout.tracks[name]).channels
        assert channels == (2 if name in ("drums", "noise") else 1)


def test_provenance_says_where_it_comes_from(made: list[Path], entries: list[Entry]) -> None:
    for folder in made:
        song, truth = load(folder)
        said = truth.provenance["synthetic"]
        entry = next(entry for entry in entries if entry.id == said["source"]["id"])
        assert said["seed"] == 3 and said["ranges"]["compressor_ratio"] == [1.5, 8]
        assert said["source"]["licence"] == "CC0 1.0" and (folder / "LICENSE").read_text().startswith("CC0 1.0\n")
        assert said["source"]["input_sha256"].keys() == {f"tracks/{name}.wav" for name in (*TRACKS, SILENT)}
        assert truth.provenance["input_sha256"] == song.hashes
        assert song.name == entry.title, "songs of one source share its title, by which corpora split"


def test_the_loss_is_that_of_the_truth(made: list[Path]) -> None:
    song, truth = load(made[0])
    losses = truth.metrics["loss"]
    assert truth.evaluate(song).to_json() == losses["pruned"] == losses["console"]
    assert losses["pruned"]["target"] < 0.5 * losses["plain_sum"]["target"]
    assert truth.metrics["processors"]["kept"]["total"] == len(truth.graph.processors)
    assert score(truth, truth).total.f1 == 1


def test_a_song_folder_is_a_dataset_entry_with_a_truth(made: list[Path]) -> None:
    found = {entry.id: entry for entry in open_dataset("folder", made[0].parent).entries()}
    assert found.keys() == {folder.name for folder in made}
    assert all(entry.truth == made[0].parent / entry.id / TRUTH for entry in found.values())
    assert {entry.licence for entry in found.values()} == {"CC0 1.0"}


def test_the_same_seed_gives_the_same_bytes_also_for_fewer_songs(
    made: list[Path], entries: list[Entry], tmp_path: Path
) -> None:
    again = synthesise(entries, tmp_path / "again", plan(songs=2))
    other = synthesise(entries, tmp_path / "other", plan(songs=2, seed=4))
    for one, same in zip(made, again, strict=False):
        assert contents(one) == contents(same)
    for one, another in zip(made, other, strict=False):
        assert contents(one)["mix.flac"] != contents(another)["mix.flac"]


def test_a_stopped_run_goes_on_and_grows(made: list[Path], entries: list[Entry], tmp_path: Path) -> None:
    """Stopped after the first song, with a broken one half written."""

    class Stop(Exception):
        pass

    def stop(_: object) -> None:
        raise Stop

    with pytest.raises(Stop):
        synthesise(entries, tmp_path / "songs", plan(songs=2), stop)
    (first,) = (path for path in (tmp_path / "songs").iterdir() if path.is_dir())
    before = (first / "mix.flac").stat().st_mtime_ns
    (half := tmp_path / "songs" / f".{made[1].name}.partial").mkdir()
    (half / "mix.flac").touch()
    folders = synthesise(entries, tmp_path / "songs", plan(songs=2))
    assert [folder.name for folder in folders] == [folder.name for folder in made[:2]]
    assert (first / "mix.flac").stat().st_mtime_ns == before and not half.exists()
    assert [contents(one) for one in folders] == [contents(one) for one in made[:2]]


def test_another_plan_in_the_same_folder_is_refused(made: list[Path], entries: list[Entry], tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="made with another 'seed'"):
        synthesise(entries, made[0].parent, plan(seed=5))
    rarely = replace(Ranges(), eq_shelf=Chance(0.1, "shelves"))
    with pytest.raises(OutputError, match="made with another 'ranges'"):
        synthesise(entries, made[0].parent, plan(ranges=rarely))
    (tmp_path / "letter.txt").touch()
    with pytest.raises(OutputError, match=f"is not empty and holds no {PLAN}"):
        synthesise(entries, tmp_path, plan())


def test_a_source_that_cannot_be_read_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = write_sources(tmp_path / "dry", ("ash", "broken"))
    (folder / "broken" / "tracks" / "bass.wav").write_bytes(b"no sound")
    entries = list(open_dataset("folder", folder).entries())
    with caplog.at_level(logging.WARNING, "mixgraph"):
        folders = synthesise(entries, tmp_path / "songs", plan(songs=2))
    assert [path.name.split("_")[1] for path in folders] == ["ash"]
    assert "broken is left out" in caplog.text and "bass.wav" in caplog.text
    with pytest.raises(SongError, match=r"bass\.wav"):
        synthesise(entries[1:], tmp_path / "none", plan(songs=1))
    with pytest.raises(SongError, match="no songs to take dry tracks from"):
        synthesise([], tmp_path / "nothing", plan())


def test_the_truth_is_a_result_for_every_command(made: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    truth, mix = made[0] / TRUTH, made[0].parent.parent / "rendered.wav"
    assert main(["show", str(truth), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["nodes"]) == len(Result.load(truth).graph.nodes)
    assert main(["evaluate", str(truth), "--json", "--threads", "1"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["loss"] == found["stored"]
    assert main(["render", str(truth), "-o", str(mix), "--threads", "1"]) == 0
    np.testing.assert_allclose(soundfile.read(mix)[0].T, load(made[0])[0].mix(), atol=BIT)


def test_the_command_writes_songs_and_says_so(
    sources: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = str(tmp_path / "songs")
    size = ["--tracks", "3", "--seconds", "4-5", "--sample-rate", "8000", "--threads", "1"]
    assert main(["corpus", "synthesise", str(sources), "-o", place, "--songs", "1", *size, "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    said = json.loads(line)
    truth = Result.load(Path(said["song"]) / TRUTH)
    assert len(said["tracks"]) == 3 and said["processors"] == truth.metrics["processors"]["kept"]
    # Again: nothing is left to do.
    assert main(["corpus", "synthesise", "folder", str(sources), "-o", place, "--songs", "1", *size]) == 0
    assert capsys.readouterr().out.startswith("1 songs in")


@pytest.mark.parametrize(
    "words, fault",
    [
        (["--songs", "0"], "argument --songs: '0'"),
        (["--songs", "1", "--tracks", "8-4"], "argument --tracks: '8-4'"),
        (["--songs", "1", "--tracks", "0.4-2"], "argument --tracks: '0.4-2': expected whole numbers"),
        (["--songs", "1", "--seconds", "long"], "argument --seconds: 'long'"),
        (["--songs", "1", "--seconds", "2-5"], "seconds: 2 is shorter than a segment, 3.8 s"),
        (["--songs", "1", "--sample-rate", "10"], "sample_rate"),
    ],
)
def test_impossible_sizes_name_the_flag(
    words: list[str], fault: str, sources: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["corpus", "synthesise", str(sources), "-o", str(tmp_path / "songs"), *words]) == 2
    assert fault in capsys.readouterr().err
    assert not (tmp_path / "songs").exists()
