"""`mixgraph align`: what it prints, what it writes into song.toml and what it leaves alone there."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mixgraph.audio.song_file import read_layout
from mixgraph.cli import main
from tests.audio.test_alignment import RATE, hits, mixed, moved
from tests.cli.test_errors import fails
from tests.cli.tiny import write_wav

Capture = pytest.CaptureFixture[str]
LATER = 0.5
SAMPLES = round(LATER * RATE)


@pytest.fixture
def late(tmp_path: Path) -> Path:
    """A song folder without song.toml whose tracks start too early, one of them by more; one is silent."""
    kick, snare, vox = hits(0), hits(1), hits(2)
    folder = tmp_path / "late"
    (folder / "tracks").mkdir(parents=True)
    mix = mixed(kick, snare, moved(vox, 1.0)[: len(kick)])
    for name, frames in {"kick": kick, "snare": snare, "vox": vox, "fx": np.zeros(800)}.items():
        write_wav(folder / "tracks" / f"{name}.wav", frames)
    write_wav(folder / "mix.wav", np.pad(mix, ((0, 0), (SAMPLES, 0))).T)
    return folder


def offsets(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "song.toml").read_text())["offsets"]


def test_it_prints_and_writes_nothing_unless_told(late: Path, capsys: Capture) -> None:
    assert main(["align", str(late)]) == 0
    out = capsys.readouterr().out
    assert f"+{LATER:.4f} s" in out and "100%" in out and "below 1 ppm" in out
    assert not (late / "song.toml").exists()


def test_json_holds_every_number(late: Path, capsys: Capture) -> None:
    assert main(["align", str(late), "--per-track", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["written"] is None
    assert found["all"]["trusted"] and found["all"]["offset_seconds"] == pytest.approx(LATER, abs=1e-3)
    assert found["tracks"]["vox"]["offset_seconds"] == pytest.approx(LATER + 1, abs=1e-3)
    assert "silent" in found["tracks"]["fx"]["refusal"]
    assert set(found["tracks"]) == {"kick", "snare", "vox", "fx"}


def test_without_a_song_toml_it_writes_one_as_init_does(late: Path, capsys: Capture) -> None:
    assert main(["align", str(late), "--write", "--per-track"]) == 0
    assert str(late / "song.toml") in capsys.readouterr().out
    layout = read_layout(late)
    assert layout.subgroups["drums"] == ("kick", "snare")
    expected = {"kick": SAMPLES, "snare": SAMPLES, "vox": SAMPLES + RATE, "fx": SAMPLES}
    assert offsets(late) == pytest.approx(expected, abs=1)
    assert main(["align", str(late), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["all"]["offset_seconds"] == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(
    "written",
    [
        '[offsets]\n# by ear\nkick = "100 ms"  # early\n\n[subgroups]\nband = ["kick", "snare"]\n',
        'offsets = { kick = 0.1 }\n[subgroups]\nband = ["kick", "snare"] # both\n',
        'offsets.kick = 800\n\n# band\n[subgroups]\nband = ["kick", "snare"]\n',
    ],
)
def test_what_song_toml_says_stays(late: Path, written: str) -> None:
    file = late / "song.toml"
    file.write_text('name = "A name"  # mine\n' + written)
    assert main(["align", str(late), "--write"]) == 0
    text = file.read_text()
    for line in ('name = "A name"  # mine', *written.splitlines()):
        assert "offsets" in line or "kick =" in line or line in text
    layout = read_layout(late)
    assert (layout.name, layout.subgroups) == ("A name", {"band": ("kick", "snare")})
    # The kick was there, and added to: the set needs what the other tracks need.
    assert offsets(late)["kick"] - offsets(late)["snare"] == pytest.approx(0.1 * RATE, abs=1)


def test_accents_of_either_kind_are_one_name(late: Path) -> None:
    (late / "tracks" / "vox.wav").rename(late / "tracks" / "vóx.wav")
    (late / "song.toml").write_text('[offsets]\n"vo\u0301x" = 16\n')
    assert main(["align", str(late), "--write"]) == 0
    assert set(offsets(late)) == {"kick", "snare", "fx", "vo\u0301x"}
    assert read_layout(late).offsets["vóx"].samples == pytest.approx(SAMPLES + 16, abs=20)


def test_what_is_unsure_is_refused(late: Path, capsys: Capture) -> None:
    (late / "song.toml").write_text('name = "late"\n')
    write_wav(late / "mix.wav", mixed(hits(7), hits(8)).T)
    fails(["align", str(late), "--write"], capsys, "late", "cannot be aligned", "hardly better", "confidence")
    fails(["align", str(late), "--write", "--per-track"], capsys, "track 'kick'", "hardly better")
    assert (late / "song.toml").read_text() == 'name = "late"\n'
    assert main(["align", str(late)]) == 0
    assert "refused" in capsys.readouterr().out


def test_mistakes(late: Path, capsys: Capture) -> None:
    fails(["align", str(late / "nowhere")], capsys, "nowhere", "no such song folder")
    fails(["align", str(late), "--max-offset", "-1"], capsys, "max_offset_seconds = -1", "above 0")
    (late / "song.toml").write_text("offsets = 3\n")
    fails(["align", str(late), "--write"], capsys, "song.toml", "offsets = 3")
