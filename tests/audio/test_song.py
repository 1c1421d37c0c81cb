"""Songs: segments are the files' samples, aligned; where they are kept makes no difference; nothing is left behind."""

from __future__ import annotations

import gc
import hashlib
import logging
import tempfile
from pathlib import Path

import numpy as np
import pytest

from mixgraph.audio.files import read_audio
from mixgraph.audio.song import Song, load_song
from mixgraph.errors import SongError
from tests.audio.folders import RATE, song_folder, tone, write

FRAMES = 4_000


@pytest.fixture
def varied(tmp_path: Path) -> Path:
    """A song of every length, width, rate and offset; its mix lasts half a second."""
    folder = tmp_path / "song"
    write(folder / "mix.wav", tone(FRAMES))
    write(folder / "tracks" / "exact.wav", tone(FRAMES, seed=1))
    write(folder / "tracks" / "fast.flac", tone(3 * FRAMES, 1, seed=2), 3 * RATE)
    write(folder / "tracks" / "late.wav", tone(FRAMES, seed=3))
    write(folder / "tracks" / "long.wav", tone(2 * FRAMES, 1, seed=4))
    write(folder / "tracks" / "short.aiff", tone(1_000, seed=5))
    write(folder / "tracks" / "silent.wav", np.zeros((FRAMES, 2)))
    (folder / "song.toml").write_text("[offsets]\nlate = 500\nshort = -0.025\n")
    return folder


def expected(folder: Path) -> np.ndarray:
    """The tracks of `varied` (tracks, 2, samples), put together by hand."""
    tracks = np.zeros((6, 2, FRAMES), np.float32)
    tracks[0] = read_audio(folder / "tracks" / "exact.wav", RATE)
    tracks[1] = read_audio(folder / "tracks" / "fast.flac", RATE)
    tracks[2, :, 500:] = read_audio(folder / "tracks" / "late.wav", RATE)[:, :-500]
    tracks[3] = read_audio(folder / "tracks" / "long.wav", RATE)[:, :FRAMES]
    tracks[4, :, :800] = read_audio(folder / "tracks" / "short.aiff", RATE)[:, 200:]
    return tracks


@pytest.mark.parametrize("budget", [0, 0.1, 4_096])
def test_segments_are_the_samples_wherever_they_are_kept(varied: Path, budget: float) -> None:
    wanted = expected(varied)
    with load_song(varied, sample_rate=RATE, memory_budget_mb=budget) as song:
        assert song.tracks == ("exact", "fast", "late", "long", "short", "silent")
        assert (song.samples, song.sample_rate, song.has_mix) == (FRAMES, RATE, True)
        for start, length in [(0, FRAMES), (0, 1), (350, 1_234), (3_900, 300), (FRAMES, 7), (9_999, 5), (10, 0)]:
            padded = np.pad(wanted, ((0, 0), (0, 0), (0, start + length)))[:, :, start : start + length]
            segment = song.track_segment(start, length)
            assert segment.dtype == np.float32
            np.testing.assert_array_equal(segment, padded)
        np.testing.assert_array_equal(song.track("late"), wanted[2])
        np.testing.assert_array_equal(song.mix(), read_audio(varied / "mix.wav", RATE))
        np.testing.assert_array_equal(song.mix_segment(3_990, 20)[:, :10], song.mix()[:, 3_990:])
        assert not song.mix_segment(3_990, 20)[:, 10:].any()


def test_segments_of_named_tracks_are_rows_in_the_order_asked_for(varied: Path) -> None:
    with load_song(varied, sample_rate=RATE) as song:
        rows = song.track_segment(100, 900)
        for names in (["short", "exact"], ["late", "late"], list(song.tracks), []):
            found = song.track_segment(100, 900, names)
            np.testing.assert_array_equal(found, rows[[song.tracks.index(name) for name in names]])
        with pytest.raises(SongError, match="no track 'silence'; did you mean 'silent'"):
            song.track_segment(0, 10, ["late", "silence"])


def test_segments_are_copies(varied: Path) -> None:
    song = load_song(varied, sample_rate=RATE)
    song.track_segment(0, 10)[:] = 9
    song.mix()[:] = 9
    np.testing.assert_array_equal(song.track_segment(0, FRAMES), expected(varied))
    assert song.mix().max() < 1


def test_the_budget_decides_where_audio_is_kept(varied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise OSError(28, "temporary file opened")

    monkeypatch.setattr(tempfile, "TemporaryFile", forbidden)
    # mix, exact, late and silent: 2 channels; fast: 1; long: 1 of twice the length; short: 2 of 1000.
    needed = 4 * (4 * 2 * FRAMES + FRAMES + 2 * FRAMES + 2 * 1_000) / 1e6
    load_song(varied, sample_rate=RATE, memory_budget_mb=needed)
    with pytest.raises(Exception, match="temporary file opened"):
        load_song(varied, sample_rate=RATE, memory_budget_mb=needed - 0.001)


@pytest.mark.parametrize("end", ["close", "collect", "fail"])
def test_nothing_stays_on_disk(varied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    opened: list = []

    def recorded(prefix: str):
        # A file with a name, as on systems that know no other.
        opened.append(tempfile.NamedTemporaryFile(dir=folder, prefix=prefix))  # noqa: SIM115
        return opened[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", recorded)
    if end == "fail":
        write(varied / "tracks" / "silent.wav", np.full((9, 1), np.nan))
        with pytest.raises(SongError, match="NaN"):
            load_song(varied, sample_rate=RATE, memory_budget_mb=0)
    else:
        song = load_song(varied, sample_rate=RATE, memory_budget_mb=0)
        assert sum(path.stat().st_size for path in folder.iterdir()) > 100_000
        if end == "close":
            song.close()
            song.close()
        del song
    gc.collect()
    assert not list(folder.iterdir())


def test_closed_songs_say_so(varied: Path) -> None:
    with load_song(varied, sample_rate=RATE) as song:
        pass
    for read in (song.mix, lambda: song.track("exact"), lambda: song.track_segment(0, 1)):
        with pytest.raises(SongError, match="song: the song is closed; load it again"):
            read()


def test_the_log_says_what_was_done_to_each_track(varied: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="mixgraph"):
        load_song(varied, sample_rate=RATE)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "track exact: 0.50 s, 8000 Hz, stereo"),
        ("INFO", "track fast: 0.50 s, 24000 Hz, mono"),
        ("WARNING", "track late: 0.50 s, 8000 Hz, stereo, starts 0.06 s later, last 0.06 s cut: the mix is shorter"),
        ("WARNING", "track long: 1.00 s, 8000 Hz, mono, last 0.50 s cut: the mix is shorter"),
        (
            "INFO",
            "track short: 0.12 s, 8000 Hz, stereo, first 0.03 s cut, padded with 0.40 s of silence: the mix is longer",
        ),
        ("INFO", "track silent: 0.50 s, 8000 Hz, stereo, silent"),
    ]


def test_offsets_in_samples_are_of_the_track_file(tmp_path: Path) -> None:
    folder = tmp_path
    impulse = np.zeros((48_000, 1), np.float32)
    impulse[4_800] = 0.5
    for name in ("a", "b", "c"):
        write(folder / "tracks" / f"{name}.wav", impulse, 48_000)
    write(folder / "mix.wav", tone(RATE))
    (folder / "song.toml").write_text('[offsets]\na = 4800\nb = 0.1\nc = "-50 ms"')
    song = load_song(folder, sample_rate=RATE)
    assert [int(np.abs(song.track(name)[0]).argmax()) for name in song.tracks] == [1_600, 1_600, 400]


def test_without_a_mix_the_longest_track_counts(varied: Path) -> None:
    (varied / "mix.wav").unlink()
    song = load_song(varied, sample_rate=RATE, require_mix=False)
    assert (song.samples, song.has_mix) == (2 * FRAMES, False)
    np.testing.assert_array_equal(song.track("long"), read_audio(varied / "tracks" / "long.wav", RATE))
    with pytest.raises(SongError, match="has no mix; load it with one"):
        song.mix_segment(0, 1)
    (varied / "song.toml").write_text("[offsets]\nlong = 100\n")
    assert load_song(varied, sample_rate=RATE, require_mix=False).samples == 2 * FRAMES + 100


def test_a_mix_that_is_there_counts_even_if_not_required(varied: Path) -> None:
    song = load_song(varied, sample_rate=RATE, require_mix=False)
    assert (song.samples, song.has_mix) == (FRAMES, True)


def test_length_is_required_in_seconds(varied: Path) -> None:
    song = load_song(varied, sample_rate=RATE)
    song.require_length(FRAMES)
    with pytest.raises(SongError, match=r"^song: lasts 0\.50 s, shorter than one segment of 3\.80 s; use a longer"):
        song.require_length(round(3.8 * RATE))


def test_hashes_are_of_the_files_and_taken_when_asked(varied: Path) -> None:
    song = load_song(varied, sample_rate=RATE)
    names = [path.relative_to(varied).as_posix() for path in sorted(varied.rglob("*")) if path.is_file()]
    (varied / "tracks" / "short.aiff").write_bytes(b"changed")
    assert song.hashes == {name: hashlib.sha256((varied / name).read_bytes()).hexdigest() for name in names}
    again = load_song(song_folder(varied.parent / "other"), sample_rate=RATE)
    (varied.parent / "other" / "mix.wav").unlink()
    with pytest.raises(SongError, match=r"mix\.wav: cannot be read again .*; leave the song folder in place"):
        _ = again.hashes


def test_arrays_make_the_song_that_files_make(varied: Path) -> None:
    loaded = load_song(varied, sample_rate=RATE)
    arrays = {"mono": tone(FRAMES)[:, 0], "one": tone(9, 1).T, "long": tone(FRAMES + 5).T.astype(np.float64)}
    song = Song.from_arrays("here", arrays, loaded.mix(), RATE, {"pair": ["one", "long"]})
    assert (song.name, song.tracks, song.samples) == ("here", ("mono", "one", "long"), FRAMES)
    assert (song.subgroups, song.hashes) == ({"pair": ("one", "long")}, {})
    segment = song.track_segment(2, FRAMES)
    np.testing.assert_array_equal(segment[0, :, :-2], np.stack([arrays["mono"][2:]] * 2))
    np.testing.assert_array_equal(segment[1, 1, :9], np.pad(arrays["one"][0, 2:], (0, 2)))
    np.testing.assert_array_equal(segment[2, :, :-2], arrays["long"][:, 2:FRAMES])
    assert not segment[..., -2:].any()
    assert Song.from_arrays("here", arrays, None, RATE).samples == FRAMES + 5


BAD_ARRAYS = {
    "no tracks": ({}, None, "here: no tracks; give at least one"),
    "NaN": ({"a": np.array([0, np.nan])}, None, "here: track 'a' has NaN or infinite samples"),
    "time first": ({"a": tone(9)}, None, r"track 'a' has shape \(9, 2\); expected .*\(2, samples\)"),
    "empty": ({"a": np.zeros((2, 0))}, None, r"track 'a' has shape \(2, 0\)"),
    "silent mix": ({"a": tone(9).T}, np.zeros((2, 9)), "the mix is silent"),
    "infinite mix": ({"a": tone(9).T}, np.full((2, 9), np.inf), "the mix has NaN or infinite"),
}


@pytest.mark.parametrize("case", BAD_ARRAYS)
def test_bad_arrays_are_named(case: str) -> None:
    tracks, mix, message = BAD_ARRAYS[case]
    with pytest.raises(SongError, match=message):
        Song.from_arrays("here", tracks, mix, RATE)


def test_unknown_tracks_are_named(varied: Path) -> None:
    with pytest.raises(SongError, match="no track 'silence'; did you mean 'silent'"):
        load_song(varied, sample_rate=RATE).track("silence")


@pytest.mark.parametrize(("name", "tracks", "groups"), [("hydrogen", 7, 3), ("caesium", 12, 4), ("finalstep", 21, 6)])
def test_real_songs(shared: Path, name: str, tracks: int, groups: int) -> None:
    with load_song(shared / "songs" / name, sample_rate=8_000) as song:
        assert (len(song.tracks), len(song.subgroups), song.samples) == (tracks, groups, 320_000)
        assert len(song.hashes) == tracks + 2
        # The dry tracks, summed, already sound like the mix.
        mono = song.track_segment(80_000, 160_000).sum((0, 1))
        assert np.corrcoef(mono, song.mix_segment(80_000, 160_000).sum(0))[0, 1] > 0.3
