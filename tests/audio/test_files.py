"""Audio files: every format, rate and width in and out; what is refused, and why."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile
import soxr

from mixgraph.audio.files import BLOCK_FRAMES, READABLE, WRITABLE, read_audio, write_audio
from mixgraph.errors import AudioFileError, OutputError
from tests.audio.folders import RATE, tone, write


def sine(rate: int, seconds: float = 0.5, hertz: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)).astype(np.float32)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(("suffix", "tolerance"), [(".wav", 0), (".flac", 2**-23), (".aiff", 2**-23), (".aif", 2**-23)])
def test_written_audio_reads_back(tmp_path: Path, suffix: str, tolerance: float, channels: int) -> None:
    samples = tone(BLOCK_FRAMES + 1_001, channels).T
    write_audio(tmp_path / f"a{suffix}", samples, 44_100)
    read = read_audio(tmp_path / f"a{suffix}", 44_100)
    assert read.dtype == np.float32
    np.testing.assert_allclose(read, np.broadcast_to(samples, read.shape), rtol=0, atol=tolerance)
    assert [path.name for path in tmp_path.iterdir()] == [f"a{suffix}"]


@pytest.mark.parametrize("suffix", [".ogg", ".mp3"])
def test_lossy_formats_keep_a_tone(tmp_path: Path, suffix: str) -> None:
    seconds = np.arange(44_100) / 44_100
    sweep = 0.5 * scipy.signal.chirp(seconds, 200, 1, 2_000)
    write_audio(tmp_path / f"a{suffix}", np.stack([sweep, -0.5 * sweep]), 44_100)
    read = read_audio(tmp_path / f"a{suffix}", 44_100)
    assert abs(read.shape[1] - len(sweep)) < 3_000
    inside = sweep[5_000:35_000]
    lag = np.argmax(scipy.signal.correlate(read[0], inside, mode="valid"))
    left, right = read[:, lag : lag + len(inside)]
    assert np.abs(left - inside).max() < 0.05
    assert np.abs(right + 0.5 * inside).max() < 0.05


def test_formats_that_can_be_written_can_be_read() -> None:
    assert set(WRITABLE) == set(READABLE)


@pytest.mark.parametrize("suffix", READABLE)
@pytest.mark.parametrize("width", [1, 2])
def test_every_readable_format_by_either_case(tmp_path: Path, suffix: str, width: int) -> None:
    path = write(tmp_path / f"a{suffix}", tone(22_050, width), 44_100)
    loud = path.rename(path.with_suffix(suffix.upper()))
    read = read_audio(loud, 44_100)
    assert read.shape[0] == 2
    assert np.sqrt(np.mean(read**2)) == pytest.approx(0.5 / np.sqrt(3), rel=0.2)
    if width == 1:
        np.testing.assert_array_equal(read[0], read[1])


@pytest.mark.parametrize(("source", "target"), [(44_100, 30_000), (48_000, 30_000), (22_050, 48_000), (96_000, 8_000)])
def test_resampling_keeps_a_tone_and_its_phase(tmp_path: Path, source: int, target: int) -> None:
    read = read_audio(write(tmp_path / "a.wav", sine(source)[:, None], source), target)[0]
    expected = sine(target)
    assert abs(len(read) - len(expected)) <= 1
    inside = slice(200, len(expected) - 200)
    assert np.abs(read[inside] - expected[inside]).max() < 1e-4


@pytest.mark.parametrize("frames", [BLOCK_FRAMES - 1, BLOCK_FRAMES, BLOCK_FRAMES + 1, 2 * BLOCK_FRAMES + 777])
def test_block_by_block_equals_at_once(tmp_path: Path, frames: int) -> None:
    samples = tone(frames)
    read = read_audio(write(tmp_path / "a.wav", samples, 44_100), 30_000)
    np.testing.assert_allclose(read, soxr.resample(samples, 44_100, 30_000).T, rtol=0, atol=1e-6)


def test_clipping_is_said_in_db(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        write_audio(tmp_path / "quiet.flac", np.ones((2, 100)), RATE)
        write_audio(tmp_path / "loud.wav", np.full((2, 100), 2.0), RATE)
    assert not caplog.records
    with caplog.at_level(logging.WARNING):
        write_audio(tmp_path / "loud.flac", np.full((2, 100), -2.0), RATE)
    assert "loud.flac: peak +6.02 dB is clipped" in caplog.text
    assert read_audio(tmp_path / "loud.flac", RATE).min() == pytest.approx(-1.0, abs=1e-6)
    assert read_audio(tmp_path / "loud.wav", RATE).max() == 2.0
    write_audio(tmp_path / "loud.ogg", np.stack([4 * sine(44_100)]), 44_100)
    assert read_audio(tmp_path / "loud.ogg", 44_100).max() < 1.2


def cut(path: Path, keep: float) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: round(len(content) * keep)])
    return path


def flac_with_a_long_header(path: Path) -> Path:
    """A whole FLAC file whose header promises one frame more than there are."""
    content = bytearray(write(path, tone()).read_bytes())
    content[25] += 1
    path.write_bytes(content)
    return path


UNREADABLE = {
    "missing": (lambda folder: folder / "a.wav", "check the path"),
    "text": (lambda folder: _text(folder / "a.wav"), "export it again"),
    "empty file": (lambda folder: _text(folder / "a.flac", ""), "export it again"),
    "no samples": (lambda folder: write(folder / "a.wav", tone(0)), "no samples; export it again"),
    "three channels": (lambda folder: write(folder / "a.wav", tone(9, 3)), "3 channels; export it as mono or stereo"),
    "NaN": (lambda folder: write(folder / "a.wav", np.full((9, 1), np.nan)), "NaN or infinite samples; export"),
    "infinity": (lambda folder: write(folder / "a.wav", np.full((9, 1), -np.inf)), "NaN or infinite samples; export"),
    "cut wav": (lambda folder: cut(write(folder / "a.wav", tone()), 0.6), "cut off (12"),
    "cut 16 bit wav": (lambda folder: cut(write(folder / "a.wav", tone(), subtype="PCM_16"), 0.99), "copy or export"),
    "cut aiff": (lambda folder: cut(write(folder / "a.aiff", tone()), 0.6), "bytes are missing); copy or export"),
    "cut flac": (lambda folder: cut(write(folder / "a.flac", tone(50_000)), 0.6), "cut off"),
    "flac with less than promised": (lambda folder: flac_with_a_long_header(folder / "a.flac"), "cut off"),
    "cut mp3": (lambda folder: cut(write(folder / "a.mp3", tone(50_000), 44_100), 0.6), "cut off (ends at 0."),
}


def _text(path: Path, content: str = "not audio") -> Path:
    path.write_text(content)
    return path


@pytest.mark.parametrize("case", UNREADABLE)
def test_unreadable_files_are_named_with_the_cure(tmp_path: Path, case: str) -> None:
    make, cure = UNREADABLE[case]
    path = make(tmp_path)
    with pytest.raises(AudioFileError) as raised:
        read_audio(path, RATE)
    assert str(path) in str(raised.value)
    assert cure in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_wav_that_lacks_one_byte_behind_an_odd_chunk_is_cut_off(tmp_path: Path) -> None:
    content = write(tmp_path / "a.wav", tone(100, 1), subtype="PCM_16").read_bytes()
    place = content.index(b"data")
    odd = content[:place] + b"note" + (3).to_bytes(4, "little") + b"abc\0" + content[place:]
    (tmp_path / "odd.wav").write_bytes(odd)
    assert read_audio(tmp_path / "odd.wav", RATE).shape == (2, 100)
    (tmp_path / "odd.wav").write_bytes(odd[:-1])
    with pytest.raises(AudioFileError, match=r"cut off \(1 bytes are missing\)"):
        read_audio(tmp_path / "odd.wav", RATE)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_streamed_wav_without_a_length_is_not_called_cut(tmp_path: Path, size: int) -> None:
    path = write(tmp_path / "a.wav", tone(1_000, 1), subtype="PCM_16")
    content = bytearray(path.read_bytes())
    place = content.index(b"data") + 4
    content[place : place + 4] = size.to_bytes(4, "little")
    path.write_bytes(content)
    if size:
        assert read_audio(path, RATE).shape == (2, 1_000)
    else:
        with pytest.raises(AudioFileError, match="no samples"):
            read_audio(path, RATE)


UNWRITABLE = {
    "suffix": ("a.m4a", tone().T, RATE, r"'\.m4a'; use one of .*\.flac"),
    "no suffix": ("a", tone().T, RATE, "use one of"),
    "no folder": ("missing/a.wav", tone().T, RATE, "missing does not exist; create it"),
    "time first": ("a.wav", tone(), RATE, r"\(4000, 2\); expected \(1 or 2 channels, time\)"),
    "one dimension": ("a.wav", tone()[:, 0], RATE, "expected"),
    "NaN": ("a.flac", np.full((2, 9), np.nan), RATE, "NaN or infinity; nothing was written"),
    "mp3 at a rate it lacks": ("a.mp3", tone().T, 30_000, "cannot hold 30000 Hz .*; write .wav or .flac"),
    "a folder in the way": ("folder.wav", tone().T, RATE, "cannot be written"),
}


@pytest.mark.parametrize("case", UNWRITABLE)
def test_unwritable_output_is_refused_and_leaves_nothing(tmp_path: Path, case: str) -> None:
    name, samples, rate, message = UNWRITABLE[case]
    (tmp_path / "folder.wav").mkdir()
    with pytest.raises(OutputError, match=message) as raised:
        write_audio(tmp_path / name, samples, rate)
    assert str(tmp_path / name) in str(raised.value)
    assert [path.name for path in tmp_path.rglob("*")] == ["folder.wav"]


LIMITED = """
import resource, signal, sys
from pathlib import Path
import numpy as np
{imports}
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))
from mixgraph.errors import OutputError
try:
    {action}
except OutputError as error:
    print(error)
"""


def under_a_file_size_limit(imports: str, action: str, argument: Path, temporary: Path) -> str:
    """Output of Python code that may write no file over 10 kB, which fails as a full disk does."""
    pytest.importorskip("resource", reason="needs file size limits, which this system lacks")
    paths = [path for path in sys.path if path]
    code = f"import sys; sys.path[:0] = {paths!r}\n" + LIMITED.format(imports=imports, action=action)
    command = [sys.executable, "-c", code, str(argument)]
    return subprocess.run(command, capture_output=True, text=True, check=True, env={"TMPDIR": str(temporary)}).stdout


def test_full_disk_leaves_nothing(tmp_path: Path) -> None:
    old = write(tmp_path / "a.wav", tone(10))
    before = old.read_bytes()
    said = under_a_file_size_limit(
        "from mixgraph.audio.files import write_audio",
        "write_audio(Path(sys.argv[1]), np.zeros((2, 100_000)), 8_000)",
        old,
        tmp_path,
    )
    assert str(old) in said
    assert "free some space" in said
    assert list(tmp_path.iterdir()) == [old]
    assert old.read_bytes() == before


def test_full_disk_while_decoding_names_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "song"
    write(path / "tracks" / "a.wav", tone())
    write(path / "mix.wav", tone())
    (tmp_path / "temporary").mkdir()
    said = under_a_file_size_limit(
        "from mixgraph.audio.song import load_song",
        "load_song(sys.argv[1], sample_rate=8_000, memory_budget_mb=0)",
        path,
        tmp_path / "temporary",
    )
    assert str(tmp_path / "temporary") in said
    assert "raise memory_budget_mb" in said
    assert not list((tmp_path / "temporary").iterdir())


def test_soundfile_sees_24_bit_flac_and_float_wav(tmp_path: Path) -> None:
    for suffix, subtype in ((".flac", "PCM_24"), (".wav", "FLOAT")):
        write_audio(tmp_path / f"a{suffix}", tone().T, 30_000)
        header = soundfile.info(tmp_path / f"a{suffix}")
        assert (header.subtype, header.samplerate, header.channels) == (subtype, 30_000, 2)
