"""What a user can do wrong: one line that names it and the cure, exit code 2, and nothing left behind."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from mixgraph.cli import main
from tests.cli.tiny import write_wav
from tests.engine import RATE

Capture = pytest.CaptureFixture[str]


def fails(arguments: list[str], capsys: Capture, *named: str) -> None:
    """Runs the command line; expects exit code 2 and one line on stderr that holds all that is `named`."""
    capsys.readouterr()
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1 and err.startswith("mixgraph: error: ") and "Traceback" not in err, err
    for part in named:
        assert part in err


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def poison(path: Path, value: float) -> None:
    samples = np.full((8 * RATE, 2), 0.1)
    samples[RATE] = value
    write_wav(path, samples)


def edit(path: Path, text: str) -> None:
    path.write_text(text)


SPOILT: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "no-folder": (lambda song: song.rename(song.with_name("elsewhere")), ("song", "check the path")),
    "no-mix": (lambda song: (song / "mix.wav").unlink(), ("no mix", "add mix.wav")),
    "no-tracks": (
        lambda song: [file.unlink() for file in (song / "tracks").iterdir()],
        ("no tracks", "put audio files"),
    ),
    "unreadable": (lambda song: edit(song / "tracks/bass.wav", "not audio"), ("bass.wav", "export it again")),
    "truncated": (lambda song: cut(song / "tracks/bass.wav"), ("bass.wav", "cut off", "copy or export")),
    "nan": (lambda song: poison(song / "tracks/bass.wav", np.nan), ("bass.wav", "NaN", "export it again")),
    "inf": (lambda song: poison(song / "mix.wav", np.inf), ("mix.wav", "infinite", "export it again")),
    "channels": (
        lambda song: write_wav(song / "tracks/bass.wav", np.ones((RATE, 3))),
        ("bass.wav", "3 channels", "stereo"),
    ),
    "empty": (lambda song: write_wav(song / "tracks/bass.wav", np.zeros((0, 2))), ("bass.wav", "no samples")),
    "short": (lambda song: write_wav(song / "mix.wav", np.full((RATE // 2, 2), 0.1)), ("0.50 s", "longer song")),
    "silent": (lambda song: write_wav(song / "mix.wav", np.zeros((8 * RATE, 2))), ("mix.wav", "silent")),
    "toml-key": (lambda song: edit(song / "song.toml", 'nmae = "x"'), ("song.toml", "nmae", "did you mean 'name'")),
    "toml": (lambda song: edit(song / "song.toml", "name = "), ("song.toml", "TOML", "correct")),
    "stranger": (
        lambda song: edit(song / "song.toml", '[subgroups]\nband = ["bas"]'),
        ("song.toml", "'bas'", "did you mean 'bass'"),
    ),
}


@pytest.mark.parametrize("name", SPOILT)
def test_songs(name: str, song: Path, settings: Path, tmp_path: Path, capsys: Capture) -> None:
    spoil, named = SPOILT[name]
    spoil(song)
    before = set(tmp_path.iterdir())
    fails(["search", str(song), "-o", str(tmp_path / "out"), "--config", str(settings), "-q"], capsys, *named)
    assert set(tmp_path.iterdir()) == before


SETTINGS: dict[str, tuple[list[str], tuple[str, ...]]] = {
    "flag": (["--rouds", "3"], ("--rouds", "did you mean --rounds")),
    "preset": (["--preset", "papr"], ("--preset", "papr", "laptop")),
    "number": (["--rounds", "many"], ("--rounds", "'many'", "integer")),
    "range": (["--learning-rate", "0"], ("--learning-rate", "'0'", "greater than 0")),
    "infinite": (["--tolerance", "inf"], ("--tolerance", "'inf'", "finite")),
    "choice": (["--start", "anywhere"], ("--start", "anywhere", "least_squares")),
    "list": (["--fft-sizes", "512,big"], ("--fft-sizes", "big")),
    "letter": (["--chain", "eqz"], ("chain 'eqz'", "'q'", "equalizer")),
    "twice": (["--chain", "ee"], ("chain 'ee'", "twice")),
    "strategy": (["--strategy", "brutal"], ("brutal", "brute_force")),
    "staging": (["--gain-staging-types", "ex"], ("'x'", "equalizer")),
    "fft": (["--fft-sizes", "16384"], ("longer segments",)),
    "toml-file": (["--config", "none.toml"], ("none.toml", "no such file")),
    "threads": (["--threads", "0"], ("--threads", "1 or more")),
    "unknown-device": (["--device", "tpu"], ("--device", "tpu", "cpu")),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings(name: str, song: Path, settings: Path, tmp_path: Path, capsys: Capture) -> None:
    flags, named = SETTINGS[name]
    before = set(tmp_path.iterdir())
    output = tmp_path / "out"
    fails(["search", str(song), "-o", str(output), "--config", str(settings), "-q", *flags], capsys, *named)
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[fit]\nsteps = 3", ("unknown key 'fit.steps'", "--help")),
        ("[fit]\nconsole_steps = -3", ("fit.console_steps", "-3", "greater than")),
        ("[fit", ("TOML", "mend")),
    ],
)
def test_settings_file(
    text: str, named: tuple[str, ...], song: Path, settings: Path, tmp_path: Path, capsys: Capture
) -> None:
    edit(settings, text)
    output = tmp_path / "out"
    fails(["search", str(song), "-o", str(output), "--config", str(settings)], capsys, "tiny.toml", *named)
    assert not output.exists()


def test_outputs(song: Path, settings: Path, finished: Path, tmp_path: Path, capsys: Capture) -> None:
    def command(output: Path) -> list[str]:
        return ["search", str(song), "-o", str(output), "--config", str(settings), "-q"]

    fails(command(finished), capsys, str(finished), "exists already", "--overwrite")
    fails([*command(song), "--overwrite"], capsys, str(song), "no result of mixgraph")
    assert (song / "mix.wav").exists()
    output = tmp_path / "out"
    (tmp_path / "out.partial").mkdir()
    fails(command(output), capsys, "out.partial", "--resume", "--overwrite")
    (tmp_path / "file").write_text("")
    fails(command(tmp_path / "file" / "out"), capsys, "file", "cannot be written")


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[None]:
    """A disk of this size at `folder`; where none may be mounted, a limit on every file that this process writes."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True).returncode == 0
    except FileNotFoundError:
        mounted = False
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        if not mounted:
            resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, limits[1]))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


# The first size is too small for a checkpoint, the second for the rendered mix.
@pytest.mark.parametrize("kilobytes", [8, 100])
def test_full_disk(kilobytes: int, song: Path, settings: Path, tmp_path: Path, finished: Path, capsys: Capture) -> None:
    with small_disk(tmp_path / "disk", kilobytes):
        output = tmp_path / "disk" / "out"
        command = ["search", str(song), "-o", str(output), "--config", str(settings), "-q"]
        go_on = () if kilobytes == 8 else ("--resume",)
        fails(command, capsys, "out.partial", "the disk is full", "free some space", *go_on)
        assert not output.exists()
        target = tmp_path / "disk" / "mix.wav"
        fails(["render", str(finished), str(song), "-o", str(target)], capsys, "mix.wav", "the disk is full")
        assert not target.exists()


def corrupt(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def remove_id(path: Path) -> None:
    document = json.loads(path.read_text())
    del document["nodes"][0]["id"]
    path.write_text(json.dumps(document))


def remove_song(path: Path) -> None:
    document = json.loads(path.read_text())
    del document["song"]
    path.write_text(json.dumps(document))


RESULTS: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "missing": (lambda result: result.rename(result.with_name("gone")), ("no such folder", "mixgraph search")),
    "no-graph": (lambda result: (result / "graph.json").unlink(), ("graph.json", "missing")),
    "graph": (lambda result: corrupt(result / "graph.json", b"{"), ("graph.json", "JSON", "search again")),
    "graph-node": (lambda result: remove_id(result / "graph.json"), ("graph.json", "nodes[0]", "no 'id'")),
    "parameters": (
        lambda result: corrupt(result / "parameters.safetensors", b"x" * 99),
        ("parameters.safetensors", "search again"),
    ),
    "half": (lambda result: cut(result / "parameters.safetensors"), ("parameters.safetensors", "search again")),
    "metrics": (lambda result: corrupt(result / "metrics.json", b"[]"), ("metrics.json",)),
    "provenance": (lambda result: remove_song(result / "provenance.json"), ("provenance.json", "'song'", "run")),
}


@pytest.mark.parametrize("name", RESULTS)
def test_results(name: str, result_copy: Path, capsys: Capture) -> None:
    spoil, named = RESULTS[name]
    spoil(result_copy)
    fails(["show", str(result_copy)], capsys, *named)


def test_songs_of_results(result_copy: Path, song: Path, tmp_path: Path, capsys: Capture) -> None:
    output = tmp_path / "mix.wav"
    (song / "song.toml").unlink()
    (song / "tracks" / "bass.wav").rename(song / "tracks" / "tuba.wav")
    fails(["render", str(result_copy), str(song), "-o", str(output)], capsys, "no track 'bass'", "name the files so")
    fails(["evaluate", str(result_copy), str(song)], capsys, "no track 'bass'")
    provenance = result_copy / "provenance.json"
    edit(provenance, provenance.read_text().replace("/song", "/moved"))
    fails(["render", str(result_copy), "-o", str(output)], capsys, "moved", "not there any more", "name a song folder")
    assert not output.exists()


def test_render_arguments(finished: Path, tmp_path: Path, capsys: Capture) -> None:
    def command(name: str, *flags: str) -> list[str]:
        return ["render", str(finished), "-o", str(tmp_path / name), *flags]

    fails(command("mix.xyz"), capsys, "mix.xyz", ".flac")
    fails(command("mix.wav", "--sample-rate", "1"), capsys, "--sample-rate", "768000")
    fails(command("mix.wav", "--solo", "track:bass/gain"), capsys, "track:bass/gain", "did you mean")
    (tmp_path / "here.wav").write_text("")
    fails(command("here.wav"), capsys, "here.wav", "exists already", "--overwrite")
    assert (tmp_path / "here.wav").read_text() == ""


def test_a_loss_that_leaves_the_numbers(song: Path, tmp_path: Path, settings: Path, capsys: Capture) -> None:
    output = tmp_path / "out"
    flags = ["--learning-rate", "1e30", "--restart-steps", "0"]
    fails(
        ["search", str(song), "-o", str(output), "--config", str(settings), "-q", *flags],
        capsys,
        "smaller learning rate",
    )
    assert not output.exists()


def test_commands(capsys: Capture) -> None:
    fails(["serch"], capsys, "'serch'", "did you mean search")
    fails([], capsys, "no command", "--help")
    fails(["search"], capsys, "SONG", "mixgraph search --help")
    fails(["init", "nowhere"], capsys, "nowhere", "no such song folder")
