"""The REAPER project, read by another parser, and its effects, run: the mix that comes out is ours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rpp
import soundfile

from mixgraph.audio.song import Song
from mixgraph.console import build_console
from mixgraph.export.reaper import quoted
from mixgraph.export.write import export_result
from mixgraph.graph.graph import Graph
from mixgraph.graph.node import IN, MIX, OUT, Node
from mixgraph.result.result import Result
from tests.engine import RATE
from tests.export.eel2 import Jsfx
from tests.report.sample import make_result, make_song


def attribute(element: rpp.Element, name: str) -> list[str]:
    return next(child[1:] for child in element if isinstance(child, list) and child[0] == name)


def play(folder: Path) -> np.ndarray:
    """What REAPER would play: items through effects, folders into their parents, sends, unity gains; latency undone."""
    (file,) = folder.glob("*.rpp")
    project = rpp.loads(file.read_text())
    assert attribute(project, "SAMPLERATE")[:2] == [str(RATE), "1"]
    tracks = project.findall("TRACK")
    parents: list[int | None] = []
    open_folders: list[int] = []
    for index, track in enumerate(tracks):
        parents.append(open_folders[-1] if open_folders else None)
        change = int(attribute(track, "ISBUS")[1])
        open_folders = [*open_folders, index] if change == 1 else open_folders[: len(open_folders) + change]
    assert not open_folders
    played: dict[int, np.ndarray] = {}

    def output(index: int) -> np.ndarray:
        if index in played:
            return played[index]
        track = tracks[index]
        assert attribute(track, "VOLPAN")[:2] == ["1", "0"]
        parts: list[np.ndarray] = [np.zeros((2, 1))]
        for item in track.findall("ITEM"):
            assert attribute(item, "POSITION") == ["0"]
            samples, rate = soundfile.read(folder / attribute(item.find("SOURCE"), "FILE")[0])
            assert rate == RATE and len(samples) == round(float(attribute(item, "LENGTH")[0]) * rate)
            parts.append(samples.T)
        parts += [output(child) for child, parent in enumerate(parents) if parent == index and sends_on(child)]
        parts += [output(int(child[1])) for child in track if isinstance(child, list) and child[0] == "AUXRECV"]
        length = max(part.shape[1] for part in parts)
        signal = np.sum([np.pad(part, ((0, 0), (0, length - part.shape[1]))) for part in parts], axis=0)
        chain = track.find("FXCHAIN")
        for effect in [] if chain is None else chain.findall("JS"):
            jsfx = Jsfx(folder / "Effects" / effect.attrib[0], RATE)
            (values,) = effect
            assert len(values) == 64
            assert {n: float(v) for n, v in enumerate(values, 1) if v != "-"} == pytest.approx(jsfx.sliders)
            signal = jsfx.process(signal)
        played[index] = signal
        return signal

    def sends_on(index: int) -> bool:
        return attribute(tracks[index], "MAINSEND")[0] == "1"

    return np.sum([output(index) for index, parent in enumerate(parents) if parent is None and sends_on(index)], axis=0)


def difference_db(found: np.ndarray, wanted: np.ndarray) -> float:
    return 10 * np.log10(np.square(found - wanted).sum() / np.square(wanted).sum())


def test_the_project_plays_our_mix(song: Song, result: Result, tmp_path: Path) -> None:
    fates = export_result(result, "reaper", tmp_path / "out", song=song)
    assert {fate.kept for fate in fates} == {"exact"}
    assert difference_db(play(tmp_path / "out"), result.render(song)) < -100


def test_subgroups_are_folders(song: Song, result: Result, tmp_path: Path) -> None:
    export_result(result, "reaper", tmp_path / "out", song=song)
    tracks = rpp.loads((tmp_path / "out" / "sample.rpp").read_text()).findall("TRACK")
    shape = [(attribute(track, "NAME")[0], attribute(track, "ISBUS")) for track in tracks]
    assert shape == [
        ("band", ["1", "1"]),
        ("bass", ["0", "0"]),
        ("drums", ["2", "-1"]),
        ("voice", ["1", "1"]),
        ("voice", ["2", "-1"]),
    ]


def test_long_responses_and_nested_sums_and_sends_play_too(tmp_path: Path) -> None:
    """A reverb of many blocks, a send beside the dry way, an edge that counts twice."""
    song = make_song(("a", "b"), seconds=2.5)
    nodes = (
        *(Node(f"track:{name}", IN, name) for name in "ab"),
        Node("eq", "equalizer"),
        Node("group", MIX),
        Node("wet", "reverb"),
        Node("gate", "noise_gate"),
        Node("out", OUT),
    )
    edges = [("track:a", "group"), ("track:b", "eq"), ("eq", "group"), ("eq", "group"), ("group", "wet")]
    edges += [("group", "gate"), ("wet", "out"), ("gate", "out"), ("track:a", "out")]
    result = make_result(song, Graph(nodes, tuple(edges)))
    long = result.config.model_copy(
        update={"processors": result.config.processors.model_copy(update={"reverb_seconds": 1.2})}
    )
    result = Result(result.graph, result.bank, long, result.metrics, result.provenance)
    export_result(result, "reaper", tmp_path / "out", song=song)
    assert difference_db(play(tmp_path / "out"), result.render(song)) < -100


@pytest.mark.parametrize("kind", ["compressor", "noise_gate", "gain_panning", "stereo_imager", "equalizer"])
def test_each_effect_is_its_processor(kind: str, tmp_path: Path) -> None:
    song = make_song(("a",), seconds=1.5)
    result = make_result(song, build_console(("a",), {}, (kind,)), seed=3)
    export_result(result, "reaper", tmp_path / "out", song=song)
    (effect, _) = sorted((tmp_path / "out").rglob("*.jsfx"))
    id = f"track:a/{kind}"
    wanted = result.signals(song, [id])[id]
    named = next(path for path in (effect, _) if "track_a" in path.stem)
    assert difference_db(Jsfx(named, RATE).process(song.track("a")), wanted) < -100


def test_the_published_curve_is_exported_too(tmp_path: Path) -> None:
    song = make_song(("a",), seconds=1.5)
    result = make_result(song, build_console(("a",), {}, ("compressor",)))
    processors = result.config.processors.model_copy(update={"dynamics_form": "published"})
    config = result.config.model_copy(update={"processors": processors})
    result = Result(result.graph, result.bank, config, result.metrics, result.provenance)
    export_result(result, "reaper", tmp_path / "out", song=song)
    assert difference_db(play(tmp_path / "out"), result.render(song)) < -100


@pytest.mark.parametrize("text", ["plain", 'with "quotes"', "it's", "both \" and '", "all \" ' `", "two\nlines", ""])
def test_any_name_is_read_back(text: str) -> None:
    project = rpp.loads(f"<REAPER_PROJECT 0.1\n  NAME {quoted(text)}\n>")
    assert attribute(project, "NAME") == [" ".join(text.split()).replace("`", "'")]
