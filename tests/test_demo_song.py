"""The demo song: other people's stems and effects, so only what we do with them is tested."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import soxr

from mixgraph import demo
from mixgraph.errors import SongError
from mixgraph.processors.base import PROCESSORS

pedalboard = pytest.importorskip("pedalboard", reason="needs the extra `demo`")
av = pytest.importorskip("av", reason="needs the extra `demo`")

RATE = 30_000


@pytest.fixture(scope="module")
def made() -> demo.DemoSong:
    return demo.make_demo_song(RATE)


@pytest.fixture(scope="module")
def stems() -> dict[str, np.ndarray]:
    return demo.decode_stems(demo.stem_file())


def test_four_stems_at_working_levels_and_none_like_another(made: demo.DemoSong) -> None:
    song = made.song
    assert song.tracks == ("drums", "bass", "other", "vocals")
    assert song.sample_rate == RATE
    assert song.samples == pytest.approx(5.96 * RATE, abs=1)
    signals = {name: song.track(name) for name in song.tracks} | {"mix": song.mix()}
    for name, signal in signals.items():
        assert signal.shape == (2, song.samples)
        assert 0.02 < np.sqrt(np.mean(signal**2)) < 0.3, f"{name}: not at a working level"
        assert np.abs(signal).max() < 0.9, f"{name}: a click of the stem file, or clipping"
    correlation = np.corrcoef([signal.ravel() for signal in signals.values()])
    assert np.abs(correlation[:4, :4] - np.eye(4)).max() < 0.5


def test_streams_are_named_after_what_they_sound_like(stems: dict[str, np.ndarray]) -> None:
    def share_above(signal: np.ndarray, hertz: float) -> float:
        power = np.abs(np.fft.rfft(signal.mean(axis=0))) ** 2
        return power[round(hertz * signal.shape[1] / demo.STEM_RATE) :].sum() / power.sum()

    bright = {name: share_above(signal, 2_000.0) for name, signal in stems.items()}
    frames = {name: signal[:, : signal.shape[1] // 441 * 441].reshape(2, -1, 441) for name, signal in stems.items()}
    level = {name: np.sqrt(np.mean(frame**2, axis=(0, 2))) for name, frame in frames.items()}
    punch = {name: np.percentile(values, 99) / np.median(values) for name, values in level.items()}
    pause = {name: np.percentile(values, 5) / np.median(values) for name, values in level.items()}
    assert min(bright, key=bright.__getitem__) == "bass"
    assert max(punch, key=punch.__getitem__) == "drums"
    assert min(pause, key=pause.__getitem__) == "vocals"


def test_the_mix_is_the_sum_of_the_stems_through_their_stated_effects(
    made: demo.DemoSong, stems: dict[str, np.ndarray]
) -> None:
    """Recomputed by a Pedalboard chain per track, and the gains by arithmetic, from the settings that are published."""
    total = np.zeros_like(stems["drums"])
    for track, stem in stems.items():
        for effect in demo.MIX[track]:
            if effect.type == "gain_panning":
                gains = [effect.settings["left_db"], effect.settings["right_db"]]
                stem = stem * 10 ** (np.array(gains, np.float32)[:, None] / 20)
            else:
                stem = pedalboard.Pedalboard([getattr(pedalboard, effect.plugin)(**effect.settings)])(
                    stem, demo.STEM_RATE
                )
        total += stem
    expected = soxr.resample(total.T, demo.STEM_RATE, RATE).T
    np.testing.assert_allclose(made.song.mix(), expected, atol=2e-5)


@pytest.mark.parametrize("sample_rate", [30_000, 44_100, 48_000])
def test_the_same_song_every_time_at_every_rate(sample_rate: int) -> None:
    first, second = (demo.make_demo_song(sample_rate) for _ in range(2))
    for name in first.song.tracks:
        np.testing.assert_array_equal(first.song.track(name), second.song.track(name))
    np.testing.assert_array_equal(first.song.mix(), second.song.mix())
    assert first.truth == second.truth


def test_the_truth_names_every_track_and_only_processors_of_the_console(made: demo.DemoSong) -> None:
    types = set(PROCESSORS)
    used = {kind for settings in made.truth.values() for kind in settings}
    assert set(made.truth) == set(made.song.tracks)
    assert all(made.truth.values())
    assert used < types, "a type that was not used must be left, for a search to be wrong about"
    assert made.truth["bass"]["equalizer"].count("Filter") == 2
    assert "left_db -3, right_db -9" in made.truth["other"]["gain_panning"]


def test_every_effect_changes_the_sound(stems: dict[str, np.ndarray]) -> None:
    """An effect nobody hears would make the truth a lie: each moves its input by more than -20 dB of it."""
    for track, effects in demo.MIX.items():
        before = stems[track]
        for effect in effects:
            after = demo.apply_effects(pedalboard, before, (effect,))
            assert np.linalg.norm(after - before) > 0.1 * np.linalg.norm(before), f"{track}: {effect}"
            before = after


@pytest.mark.parametrize("package", ["av", "pedalboard", "stempeg"])
def test_a_missing_package_is_named_with_the_cure(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def import_without(name: str) -> ModuleType:
        raise ModuleNotFoundError(name)

    if package == "stempeg":
        monkeypatch.setattr(demo, "find_spec", lambda name: None)
    else:
        wanted = demo.import_module
        monkeypatch.setattr(
            demo, "import_module", lambda name: import_without(name) if name == package else wanted(name)
        )
    with pytest.raises(SongError, match=rf"{package}.*pip install 'mixgraph\[demo\]'"):
        demo.make_demo_song(RATE)


@pytest.mark.parametrize("content", [b"", b"not a container"])
def test_a_damaged_stem_file_is_named(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "song.stem.mp4"
    file.write_bytes(content)
    with pytest.raises(SongError, match=r"song\.stem\.mp4: expected four stems"):
        demo.decode_stems(file)


def test_a_file_with_fewer_streams_is_named(tmp_path: Path) -> None:
    file = tmp_path / "song.stem.mp4"
    with av.open(str(file), "w") as container:
        stream = container.add_stream("aac", rate=demo.STEM_RATE)
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 4_096), np.float32), format="fltp", layout="stereo")
        frame.sample_rate = demo.STEM_RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(SongError, match="expected four stems"):
        demo.decode_stems(file)


def test_settings_cannot_be_changed_by_accident() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        demo.MIX["drums"][0].plugin = "Gain"  # pyright: ignore[reportAttributeAccessIssue]
