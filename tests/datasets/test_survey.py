"""What the survey of a dataset finds in headers and in audio."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import soxr

from mixgraph.audio.files import BLOCK_FRAMES
from mixgraph.datasets.base import open_dataset
from mixgraph.datasets.checks import CLIPPED_SAMPLES, measure
from mixgraph.datasets.survey import Survey, examine, read_headers
from tests.audio.folders import RATE, song_folder, tone, write


def clipped(starts: list[int], length: int, frames: int) -> np.ndarray:
    """Quiet noise (frames, 2) whose right channel stays at full scale for `length` samples at each start."""
    out = 0.5 * tone(frames)
    for start in starts:
        out[start : start + length, 1] = -1.0
    return out


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
@pytest.mark.parametrize("length", [1, 2, 3, 50])
def test_runs_at_full_scale_are_clips(tmp_path: Path, suffix: str, length: int) -> None:
    starts = [0, 1_000, BLOCK_FRAMES - 1, BLOCK_FRAMES + 500, 2 * BLOCK_FRAMES - 2]
    level = measure(write(tmp_path / f"a{suffix}", clipped(starts, length, 2 * BLOCK_FRAMES)))
    at_the_end = min(length, 2)
    expected = 4 + (at_the_end >= CLIPPED_SAMPLES) if length >= CLIPPED_SAMPLES else 0
    assert (level.clips, level.peak) == (expected, 1.0)


def test_a_signal_above_full_scale_in_a_float_file_is_one_clip(tmp_path: Path) -> None:
    frames = clipped([], 0, 1_000)
    frames[100:200] = 1.7
    assert measure(write(tmp_path / "a.wav", frames)) == pytest.approx((1.7, 2))


def song_in_time(root: Path, later: int, stretched: int = 0) -> Path:
    """A song of ten seconds whose mix has the tracks so many samples later, and so many samples longer."""
    folder = song_folder(root / "song")
    tracks = [0.3 * tone(10 * RATE, seed=seed) for seed in range(3)]
    for name, frames in zip(("kick", "snare", "vox"), tracks, strict=True):
        write(folder / "tracks" / f"{name}.wav", frames)
    total = np.sum(tracks, axis=0)
    heard = soxr.resample(total, len(total), len(total) + stretched) if stretched else total
    write(folder / "mix.wav", np.roll(heard, later, axis=0))
    return folder


def test_a_sound_song_has_no_problems(tmp_path: Path) -> None:
    song_in_time(tmp_path, 0)
    report = examine(open_dataset("folder", tmp_path), "song", check=True)
    assert (report.error, report.problems) == ("", ())
    assert report.headers and report.headers.seconds == 10
    assert report.headers.sample_rates == (RATE,)


def test_misplaced_tracks_are_found(tmp_path: Path) -> None:
    folder = song_in_time(tmp_path, 1_000)
    dataset = open_dataset("folder", tmp_path)
    assert examine(dataset, "song", check=True).problems == ("tracks should start 0.125 s later to lie under the mix",)
    (folder / "song.toml").write_text("[offsets]\n" + "".join(f"{name} = 0.125\n" for name in ("kick", "snare", "vox")))
    assert examine(dataset, "song", check=True).problems == ()


def test_clocks_that_differ_are_found(tmp_path: Path) -> None:
    song_in_time(tmp_path, 0, stretched=8)
    (problem,) = examine(open_dataset("folder", tmp_path), "song", check=True).problems
    found = re.fullmatch(r"tracks and mix run at different speeds: \+(\d+) ppm", problem)
    assert found
    assert int(found[1]) == pytest.approx(100, abs=5)


def test_a_mix_of_something_else_cannot_be_aligned(tmp_path: Path) -> None:
    folder = song_in_time(tmp_path, 0)
    write(folder / "mix.wav", tone(10 * RATE, seed=9))
    (problem,) = examine(open_dataset("folder", tmp_path), "song", check=True).problems
    assert problem.startswith("whether tracks and mix start together cannot be told: ")


def test_silent_and_clipped_files_are_named(tmp_path: Path) -> None:
    folder = song_folder(tmp_path / "song")
    write(folder / "tracks" / "snare.wav", 1e-5 * tone())
    write(folder / "tracks" / "vox.wav", clipped([10, 90], 5, 4_000))
    write(folder / "mix.wav", clipped([10], 5, 4_000))
    report = examine(open_dataset("folder", tmp_path), "song", check=True)
    assert {"silent: snare", "clipped (times): vox (2), the mix (1)"} <= set(report.problems)
    assert examine(open_dataset("folder", tmp_path), "song").problems == ()


def test_rates_and_lengths_that_differ_are_seen_in_headers(tmp_path: Path) -> None:
    folder = song_folder(tmp_path / "song")
    write(folder / "tracks" / "kick.wav", tone(2 * RATE, 1))
    write(folder / "tracks" / "vox.wav", tone(16_000), rate=16_000)
    report = examine(open_dataset("folder", tmp_path), "song")
    assert report.problems == ("sample rates differ: 8000, 16000 Hz", "tracks go on for 1.5 s after the mix ends")
    assert report.headers and report.headers.mono_tracks == 1
    (folder / "song.toml").write_text('[offsets]\nkick = "-1800 ms"')
    write(folder / "mix.wav", tone(4 * RATE))
    assert examine(open_dataset("folder", tmp_path), "song").problems[1:] == ("all tracks end 3.0 s before the mix",)


def test_a_song_without_a_mix_is_as_long_as_its_longest_track(tmp_path: Path) -> None:
    folder = song_folder(tmp_path / "song")
    (folder / "mix.wav").unlink()
    write(folder / "tracks" / "kick.wav", tone(2 * RATE))
    entry = open_dataset("folder", tmp_path).entry("song")
    assert read_headers(entry).seconds == 2.0


def test_a_broken_song_leaves_the_others_alone(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        song_folder(tmp_path / name)
    (tmp_path / "b" / "tracks" / "kick.wav").write_text("no audio")
    dataset = open_dataset("folder", tmp_path)
    survey = Survey("folder", dataset, tuple(examine(dataset, song) for song in dataset.songs))
    assert [bool(report.error) for report in survey.reports] == [False, True, False]
    assert "kick.wav: cannot be read as audio" in survey.reports[1].error
    totals = survey.totals()
    assert (totals["usable"], totals["tracks"], totals["sample_rates"]) == (2, 6, [RATE])
    assert totals["hours"] == pytest.approx(1 / 3600)
    assert survey.to_json()["songs"][1] == {"id": "b", "error": survey.reports[1].error}


def test_guesses_and_words(tmp_path: Path) -> None:
    song_folder(tmp_path / "song", '[subgroups]\nall = ["kick", "snare", "vox"]')
    dataset = open_dataset("folder", tmp_path)

    def groups(**options) -> dict[str, tuple[str, ...]]:
        report = examine(dataset, "song", **options)
        assert report.entry
        return report.entry.layout.subgroups

    given = {"all": ("kick", "snare", "vox")}
    assert groups() == groups(words={"vox": "choir"}) == given
    assert groups(guess=True) == {"drums": ("kick", "snare"), "vocals": ("vox",)}
    assert groups(guess=True, words={"vox": "choir"}) == {"drums": ("kick", "snare"), "choir": ("vox",)}
