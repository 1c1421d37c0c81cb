"""Where dry tracks lie under a mix: found to the millisecond, or refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soxr

from mixgraph.audio.alignment import Alignment, aligned, find_alignment, find_track_alignments, settled
from mixgraph.audio.drift import MAX_DRIFT, fit_drift
from mixgraph.audio.song import Song, load_layout, load_song
from mixgraph.audio.song_file import Layout, Offset, read_layout
from mixgraph.errors import ConfigError, SongError
from tests.audio.folders import write

RATE = 8_000
NEAR = pytest.approx


def hits(seed: int, seconds: float = 12.0) -> np.ndarray:
    """Decaying bursts of noise at random times, float32 (samples,)."""
    rng = np.random.default_rng(seed)
    out = np.zeros(round(seconds * RATE), np.float32)
    length = RATE // 4
    for start in rng.integers(0, len(out) - length, round(3 * seconds)):
        out[start : start + length] += 0.2 * rng.standard_normal(length) * np.exp(-np.arange(length) / (RATE / 20))
    return out


def moved(samples: np.ndarray, seconds: float) -> np.ndarray:
    """Later by so many seconds of silence, or with its head cut."""
    shift = round(seconds * RATE)
    return np.pad(samples, (shift, 0)) if shift >= 0 else samples[-shift:]


def song(tracks: dict[str, np.ndarray], mix: np.ndarray) -> Song:
    return Song.from_arrays("song", tracks, mix, RATE)


def mixed(*tracks: np.ndarray) -> np.ndarray:
    """Gains, a low-pass, saturation and noise (2, samples): none of it shifts anything."""
    total = np.stack([gain * track for gain, track in zip((0.7, 0.3, 1.2), tracks, strict=False)]).sum(axis=0)
    heard = np.tanh(2 * np.convolve(total, [0.5, 0.3, 0.2])[: len(tracks[0])])
    noise = 0.003 * np.random.default_rng(99).standard_normal((2, len(heard)))
    return (np.stack([heard, 0.5 * heard]) + noise).astype(np.float32)


@pytest.mark.parametrize("later", [-3.1, -0.0011, 0.0, 0.73, 8.0])
@pytest.mark.parametrize("polarity", [1, -1])
def test_the_offset_is_the_shift(later: float, polarity: int) -> None:
    one, two = hits(0), hits(1)
    tracks = {"one": moved(one, -later), "two": moved(two, -later)}
    found = find_alignment(song(tracks, polarity * mixed(one, two)))
    assert found.trusted and not found.drifts
    assert found.offset_seconds == NEAR(round(later * RATE) / RATE, abs=1 / RATE)


def test_offsets_count_from_where_the_tracks_start_now(tmp_path: Path) -> None:
    one, two = hits(0), hits(1)
    for name, samples in {"tracks/one": one, "tracks/two": two, "mix": moved(mixed(one, two)[0], 0.5)}.items():
        write(tmp_path / f"{name}.wav", samples, RATE)
    layout = replace(read_layout(tmp_path), offsets=dict.fromkeys(("one", "two"), Offset(samples=RATE // 4)))
    with load_layout(layout, sample_rate=RATE) as early:
        found = find_alignment(early)
        assert found.offset_seconds == NEAR(0.25, abs=1e-3)
        changed = aligned(early, found)
    assert changed.offsets["one"].at(RATE, RATE) == NEAR(RATE // 2, abs=1)
    with load_layout(changed, sample_rate=RATE) as right:
        assert find_alignment(right).offset_seconds == NEAR(0, abs=1e-3)
        assert np.corrcoef(right.track("one").sum(0) + right.track("two").sum(0), right.mix().sum(0))[0, 1] > 0.5


@pytest.mark.parametrize("first, last", [(8, 16), (0, 7), (17, 24)])
def test_tracks_may_be_longer_or_shorter_than_the_mix(first: int, last: int) -> None:
    one, two = hits(0, 24), hits(1, 24)
    part = slice(first * RATE, last * RATE)
    mix = mixed(one, two)
    longer = find_alignment(song({"one": one, "two": two}, mix[:, part]))
    assert longer.trusted and longer.offset_seconds == NEAR(-first, abs=1e-3)
    shorter = find_alignment(song({"one": one[part], "two": two[part]}, mix))
    assert shorter.trusted and shorter.offset_seconds == NEAR(first, abs=1e-3)


@pytest.mark.parametrize("drift_ppm", [-300.0, -40.0, 20.0, 100.0])
def test_a_clock_that_is_off_is_measured(drift_ppm: float) -> None:
    one, two = hits(0, 30), hits(1, 30)
    # A shorter track is played too fast: it falls behind later and later, and must start later.
    slow = [soxr.resample(track, RATE, RATE / (1 + drift_ppm * 1e-6)) for track in (one, two)]
    found = find_alignment(song(dict(zip(("one", "two"), slow, strict=True)), mixed(one, two)))
    assert found.trusted and found.drifts
    assert found.drift_ppm == NEAR(drift_ppm, abs=3)
    # In the middle of the mix, at 15 s.
    assert found.offset_seconds == NEAR(15 * drift_ppm * 1e-6, abs=2e-4)


def test_the_mix_of_another_song_is_refused() -> None:
    for seed in range(10, 16):
        found = find_alignment(song({"one": hits(0), "two": hits(1)}, mixed(hits(seed), hits(seed + 10))))
        assert not found.trusted and "hardly better" in found.refusal


def test_a_band_without_signal_makes_no_match_look_sure() -> None:
    low, high = 6_000, 16_000
    for seed in range(10, 14):
        rng = np.random.default_rng(seed)
        one, two, mix = (soxr.resample(rng.standard_normal(6 * low), low, high) for _ in range(3))
        found = find_alignment(Song.from_arrays("song", {"one": one, "two": two}, mix, high))
        assert not found.trusted and "hardly better" in found.refusal


def test_a_loop_fits_anywhere_and_is_refused() -> None:
    loop = np.tile(hits(0, 2), 8)
    assert not find_alignment(song({"loop": loop[: 10 * RATE]}, mixed(loop))).trusted


def test_farther_than_is_looked_for_is_refused() -> None:
    late = song({"one": hits(0), "two": hits(1)}, np.pad(mixed(hits(0), hits(1)), ((0, 0), (2 * RATE, 0))))
    assert not find_alignment(late, max_offset_seconds=1.5).trusted
    assert find_alignment(late, max_offset_seconds=2.5).trusted
    for wrong in (0, -1, np.inf, np.nan):
        with pytest.raises(ConfigError, match="max_offset_seconds"):
            find_alignment(late, max_offset_seconds=wrong)


def test_silence_is_refused_and_says_so() -> None:
    one = hits(0)
    dither = 1e-5 * np.random.default_rng(5).standard_normal(len(one))
    both = song({"one": one, "nothing": np.zeros(100), "dither": dither}, mixed(one))
    assert find_alignment(both).trusted
    found = find_track_alignments(both)
    assert found["one"].trusted
    assert "silent" in found["nothing"].refusal and "silent" in found["dither"].refusal
    assert "silent" in find_alignment(song({"nothing": np.zeros(100)}, mixed(one))).refusal
    with pytest.raises(SongError, match="has no mix"):
        find_alignment(Song.from_arrays("song", {"one": one}, None, RATE))


def test_tracks_of_opposite_channels_are_heard() -> None:
    one = hits(0)
    wide = np.stack([one, -one])
    found = find_alignment(song({"wide": wide}, moved(one, 0.4)))
    assert found.trusted and found.offset_seconds == NEAR(0.4, abs=1e-3)


def test_each_track_has_its_own_offset() -> None:
    later = {"one": 1.5, "two": -0.25, "three": 0.0}
    dry = {name: hits(seed) for seed, name in enumerate(later)}
    tracks = {name: moved(dry[name], -seconds) for name, seconds in later.items()}
    found = find_track_alignments(song(tracks, mixed(*dry.values())))
    for name, seconds in later.items():
        assert found[name].trusted and found[name].offset_seconds == NEAR(seconds, abs=1e-3), name


def only(samples: np.ndarray, first: float, last: float) -> np.ndarray:
    """Silence but from `first` to `last` (s)."""
    heard = np.zeros_like(samples)
    heard[round(first * RATE) : round(last * RATE)] = samples[round(first * RATE) : round(last * RATE)]
    return heard


def test_one_hit_tells_nothing_however_well_it_fits() -> None:
    one, two = only(hits(0), 4.1, 5.9), hits(1)
    found = find_track_alignments(song({"one": one, "two": two}, mixed(one, two)))
    assert not found["one"].trusted and "hardly better" in found["one"].refusal
    assert found["two"].trusted


def test_the_same_again_is_refused_where_little_is_heard() -> None:
    part, louder = hits(0, 4), hits(1, 30)
    again = np.zeros(30 * RATE, np.float32)
    again[3 * RATE : 7 * RATE], again[20 * RATE : 24 * RATE] = part, part
    masked = again + 1.5 * only(louder, 3, 7)  # where it belongs there is more besides
    found = find_alignment(song({"part": part}, mixed(masked)))
    assert found.offset_seconds == NEAR(20, abs=1e-3) and not found.trusted


def test_what_is_hardly_heard_drifts_like_the_rest() -> None:
    drift_ppm, long, brief = 200.0, hits(0, 30), only(hits(1, 30), 22, 26)
    slow = {
        name: soxr.resample(track, RATE, RATE / (1 + drift_ppm * 1e-6))
        for name, track in {"long": long, "brief": brief}.items()
    }
    mix = mixed(long, brief)
    found = find_track_alignments(song(slow, mix))
    for name in slow:
        assert found[name].trusted and found[name].drift_ppm == NEAR(drift_ppm, abs=5), name
        assert found[name].offset_seconds == NEAR(15 * drift_ppm * 1e-6, abs=2e-4), name
    alone = find_track_alignments(song({"brief": slow["brief"]}, mix))["brief"]
    assert not alone.trusted and "drift unknown" in alone.refusal
    told = find_track_alignments(song({"brief": slow["brief"]}, mix), drift_ppm=drift_ppm)["brief"]
    assert told.trusted and told.offset_seconds == NEAR(15 * drift_ppm * 1e-6, abs=2e-4)


def alignment(offset: float, confidence: float = 0.95, refusal: str = "") -> Alignment:
    return Alignment(offset, confidence, 0.0, 1.0, refusal)


def test_a_track_follows_the_set_unless_it_knows_better() -> None:
    whole, refused, silent = alignment(1.0), alignment(7.0, 0.5, "unsure"), alignment(0.0, 0.0, "silent")
    other, close = alignment(2.0), alignment(1.00005)
    each = {"other": other, "close": close, "refused": refused, "silent": silent}
    assert settled(whole, each) == {"other": other, "close": whole, "refused": whole, "silent": whole}
    assert settled(refused, each) == {"other": other, "close": close, "refused": refused}
    layout = Layout("song", {}, tracks={name: Path(name) for name in each}, offsets={"other": Offset(samples=10)})
    assert aligned(layout, settled(whole, each)).offsets["other"] == Offset(samples=10, seconds=2.0)
    with pytest.raises(SongError, match="track 'refused' cannot be aligned: unsure"):
        aligned(layout, settled(refused, each))
    with pytest.raises(SongError, match="the tracks cannot be aligned: unsure"):
        aligned(layout, refused)


def test_a_line_is_found_among_outliers() -> None:
    rng = np.random.default_rng(0)
    times = np.arange(30.0)
    lags = 0.2 + 150e-6 * times + 1e-5 * rng.standard_normal(30)
    lags[rng.permutation(30)[:11]] += rng.uniform(-5e-3, 5e-3, 11)
    found = fit_drift(times, lags, 1e-6)
    assert found.lag == NEAR(0.2, abs=3e-5)
    assert abs(found.slope - 150e-6) < 4 * found.error < 2e-6
    assert fit_drift(times[:3], lags[:3], 1e-6) == (np.median(lags[:3]), 0.0, MAX_DRIFT)
    # The hint of a line in nothing but noise is no finding.
    assert fit_drift(times[:8], rng.uniform(-5e-3, 5e-3, 8), 1e-6).error == MAX_DRIFT


def test_real_songs(shared: Path) -> None:
    with load_song(shared / "songs/hydrogen", sample_rate=RATE) as real:
        tracks = {name: real.track_segment(5 * RATE, 20 * RATE, [name])[0] for name in real.tracks}
        mix = real.mix_segment(8 * RATE, 14 * RATE)
    found = find_alignment(song(tracks, mix))
    assert found.trusted and found.offset_seconds == NEAR(-3, abs=1e-3)
    with load_song(shared / "songs/finalstep", sample_rate=RATE) as other:
        assert not find_alignment(song(tracks, other.mix())).trusted
