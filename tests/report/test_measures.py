"""Loudness, width, the loss over time, what processors hear, and the course of a search."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from mixgraph.audio.loudness import integrated_lufs, short_term_lufs, width_db
from mixgraph.audio.song import Song
from mixgraph.errors import ResultError
from mixgraph.fit.problem import Problem
from mixgraph.report.hearing import LEVELS_DB, hear
from mixgraph.report.match import PARTS, measure_match
from mixgraph.report.search_history import read_history, trace_of
from mixgraph.report.sounds import ORIGINAL, RESIDUAL, level_matched, mixes_of, waveforms
from mixgraph.result.result import Result
from tests.report.sample import make_history, make_song

RATE = 30_000


def sine(level_db: float, seconds: float = 6, pan: tuple[float, float] = (1.0, 1.0)) -> np.ndarray:
    tone = 10 ** (level_db / 20) * np.sin(2 * np.pi * 1_000 * np.arange(round(seconds * RATE)) / RATE)
    return np.outer(pan, tone).astype(np.float32)


def test_loudness_is_that_of_the_standard() -> None:
    # EBU Tech 3341, test 1: a stereo sine of -23 dBFS at 1 kHz reads -23 LUFS.
    assert integrated_lufs(sine(-23), RATE) == pytest.approx(-23, abs=0.1)
    assert short_term_lufs(sine(-33), RATE).values == pytest.approx([-33.0] * 4, abs=0.1)


def test_silence_and_shreds_have_no_loudness() -> None:
    assert integrated_lufs(np.zeros((2, RATE), np.float32), RATE) == -math.inf
    assert integrated_lufs(sine(-20, seconds=0.1), RATE) == -math.inf
    assert len(short_term_lufs(sine(-20, seconds=2), RATE).values) == 0
    assert np.isnan(short_term_lufs(np.zeros((2, 4 * RATE), np.float32), RATE).values).all()


def test_width_is_side_over_mid() -> None:
    assert width_db(sine(-20, pan=(1, 0)), RATE).values == pytest.approx([0.0] * 4, abs=0.01)
    assert width_db(sine(-20, pan=(1.0, 0.5)), RATE).values == pytest.approx([20 * np.log10(1 / 3)] * 4, abs=0.01)


def test_mixes_are_equally_loud_and_do_not_clip(song: Song, result: Result) -> None:
    mixes = mixes_of(song, 3 * result.render(song))
    loudness = {mix.key: mix.lufs + mix.gain_db for mix in mixes}
    residual = loudness.pop(RESIDUAL)
    assert max(loudness.values()) - min(loudness.values()) < 1e-6
    assert max(np.abs(mix.signal).max() * 10 ** (mix.gain_db / 20) for mix in mixes) < 1
    gains = {mix.key: mix.gain_db for mix in mixes}
    assert gains[RESIDUAL] == gains[ORIGINAL] and math.isfinite(residual)
    assert level_matched(mixes) == mixes


def test_waveforms_fill_their_height_and_keep_their_proportions(song: Song, result: Result) -> None:
    sounds = mixes_of(song, result.render(song))

    def reach(path: str) -> float:
        return max(abs(float(y) - 50) for part in path.split("M")[1:] for y in (part.split(" ")[1].split("V")))

    shown = {key: reach(path) for key, path in waveforms(sounds).items()}
    peaks = {s.key: np.abs(s.signal.mean(0)).max() * 10 ** (s.gain_db / 20) for s in sounds}
    assert max(shown.values()) == pytest.approx(50, abs=0.5)
    for key in shown:
        assert shown[key] / 50 == pytest.approx(peaks[key] / max(peaks.values()), abs=0.02)


def test_the_losses_mean_is_what_metrics_say(song: Song, result: Result) -> None:
    match = measure_match(Problem(song, result.config, torch.device("cpu")), result)
    found = match.losses["pruned"].mean(0)
    said = result.metrics["loss"]["pruned"]
    assert found[0] == pytest.approx(said["target"], rel=1e-5)
    for part, value in zip(PARTS[1:], found[1:], strict=True):
        assert value == pytest.approx(said["channels"][part]["target"], rel=1e-5)


def test_what_is_compared_covers_the_song(song: Song, result: Result) -> None:
    match = measure_match(Problem(song, result.config, torch.device("cpu")), result)
    warm_up, length = result.config.loss.warm_up_seconds, result.config.audio.segment_seconds
    assert match.seconds[0] == warm_up and match.end_seconds == pytest.approx(song.samples / song.sample_rate)
    assert np.diff(match.seconds).max() <= length - warm_up + 1e-9


def test_a_perfect_match_has_no_error(result: Result) -> None:
    song = make_song(subgroups={"band": ("bass", "drums")}, seconds=3)
    tracks = {name: song.track(name) for name in song.tracks}
    rendered = Song.from_arrays("rendered", tracks, result.render(song), song.sample_rate, song.subgroups)
    match = measure_match(Problem(rendered, result.config, torch.device("cpu")), result)
    # Segments start in silence where the song does not, so that delays and envelopes differ by a little.
    assert match.errors_db["pruned"].mean() < 0.1 * match.errors_db["plain_sum"].mean()


def test_processors_hear_what_comes_to_them(song: Song, result: Result) -> None:
    heard = hear(Problem(song, result.config, torch.device("cpu")), result)
    compressor, gate = heard["track:bass/compressor"], heard["track:drums/noise_gate"]
    assert compressor.gain_db < -0.5 and compressor.gain_range_db[0] <= compressor.gain_db
    assert gate.gain_db < -0.5 and gate.levels.sum() > 0
    loudest = LEVELS_DB[int(gate.levels.argmax())]
    assert loudest == pytest.approx(10 * np.log10(np.square(song.track("drums")).mean()), abs=6)
    assert heard["track:voice/reverb"].levels.sum() == 0


def test_the_course_of_a_search(result: Result) -> None:
    counts = result.metrics["processors"]
    trace = trace_of(make_history(result), counts["initial"]["total"])
    assert trace is not None
    assert len(trace.loss) == 30 and trace.loss[0] == 1.0 and trace.smooth.min() > trace.loss.min()
    assert trace.pruned_at.tolist() == [0, 20]
    assert trace.left.tolist() == [counts["initial"]["total"], counts["kept"]["total"]]


def test_no_history_is_no_trace(tmp_path: Path) -> None:
    assert read_history(tmp_path) == [] and trace_of([], 7) is None


@pytest.mark.parametrize("text", ["{", "[1]\n", "\xff"])
def test_a_damaged_history_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "history.jsonl").write_bytes(text.encode("latin-1"))
    with pytest.raises(ResultError, match=r"history\.jsonl"):
        read_history(tmp_path)


def test_a_history_is_read_line_by_line(tmp_path: Path) -> None:
    lines = [{"event": "step", "audio": 1.5}, {"event": "trial", "accepted": True, "candidates": ["a", "b"]}]
    (tmp_path / "history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    trace = trace_of(read_history(tmp_path), 5)
    assert trace is not None and trace.left.tolist() == [5, 3]
