"""`corpus verify` finds what was spoilt and nothing else; `corpus stats` counts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mixgraph.audio.files import read_audio, write_audio
from mixgraph.cli import main
from mixgraph.corpus.folder import Corpus
from mixgraph.corpus.tables import table_file, write_tables
from mixgraph.corpus.tables.split import SPLITS
from mixgraph.corpus.verify import same_value, verify
from mixgraph.result.result import Result
from tests.corpus.corpora import FAILED, SONGS
from tests.engine import RATE

EVERY_SONG = len(SONGS)
Spoil = Callable[[Corpus, Path], object]


def faults(corpus: Corpus, sample: int = EVERY_SONG) -> list[str]:
    return list(verify(corpus, sample=sample))


def test_what_a_search_wrote_is_sound(searched, copied):
    assert faults(searched) == faults(copied) == []


def tamper_graph(corpus: Corpus, folder: Path) -> None:
    """A gain in graph.json that parameters.safetensors does not hold."""
    document = json.loads((folder / "graph.json").read_text())
    node = next(node for node in document["nodes"] if node["type"] == "gain_panning")
    node["parameters"]["gain_db"][0] += 0.1
    (folder / "graph.json").write_text(json.dumps(document))


def tamper_everywhere(corpus: Corpus, folder: Path) -> None:
    """A gain, consistently: in both files and in the tables."""
    result = Result.load(folder)
    gains = result.bank.tensors["gain_panning"]["log_gain"]
    tensors = result.bank.tensors | {"gain_panning": result.bank.tensors["gain_panning"] | {"log_gain": gains + 0.1}}
    replace(result, bank=type(result.bank)(result.bank.ids, tensors)).save(folder)
    write_tables(corpus)


def tamper_loss(corpus: Corpus, folder: Path) -> None:
    metrics = json.loads((folder / "metrics.json").read_text())
    metrics["loss"]["pruned"]["target"] *= 0.99
    (folder / "metrics.json").write_text(json.dumps(metrics))
    write_tables(corpus)


def tamper_sound(corpus: Corpus, folder: Path) -> None:
    write_audio(folder / "mix.flac", 0.99 * read_audio(folder / "mix.flac", RATE), RATE)


def tamper_table(corpus: Corpus, folder: Path) -> None:
    """Tables from before the search changed its mind."""
    kept = {name: table_file(corpus.folder, name).read_bytes() for name in ("nodes", "songs")}
    tamper_everywhere(corpus, folder)
    for name, content in kept.items():
        table_file(corpus.folder, name).write_bytes(content)


def remove(name: str) -> Spoil:
    return lambda corpus, folder: (folder / name).unlink()


def cut(name: str) -> Spoil:
    def halve(corpus: Corpus, folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])

    return halve


SPOILT: dict[str, tuple[Spoil, str]] = {
    "a parameter in one file": (tamper_graph, "gain_db of node"),
    "a parameter everywhere": (tamper_everywhere, "target loss is"),
    "a stored loss": (tamper_loss, "not the stored"),
    "the rendered mix": (tamper_sound, "is not what the graph renders"),
    "a table": (tamper_table, "nodes.parquet: song 'two' is not as its result says"),
    **{f"no {name}": (remove(name), name) for name in ("graph.json", "parameters.safetensors", "metrics.json")},
    **{f"no {name}": (remove(name), name) for name in ("mix.flac", "history.jsonl", "provenance.json")},
    **{f"half of {name}": (cut(name), name) for name in ("graph.json", "parameters.safetensors", "history.jsonl")},
    "a history of something else": (
        lambda corpus, folder: (folder / "history.jsonl").write_text("3\n"),
        "history.jsonl: holds a line that is no object",
    ),
    "half of mix.flac": (cut("mix.flac"), "mix.flac"),
    "no folder": (lambda corpus, folder: shutil.rmtree(folder), "missing, though songs.parquet has the song"),
    "no table": (lambda corpus, folder: (corpus.folder / "edges.parquet").unlink(), "edges.parquet: missing"),
    "half a table": (
        lambda corpus, folder: cut("nodes.parquet")(corpus, corpus.folder),
        "nodes.parquet: cannot be read",
    ),
    "no datasheet": (lambda corpus, folder: (corpus.folder / "DATASHEET.md").unlink(), "DATASHEET.md: missing"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_what_was_spoilt_is_found(copied, name):
    spoil, expected = SPOILT[name]
    spoil(copied, copied.result_folder("two"))
    found = faults(copied)
    assert any(expected in fault for fault in found), found
    # No other song is blamed.
    assert not [fault for fault in found if "'one'" in fault or "/one" in fault]


def test_dry_audio_that_changed_or_went_is_named(copied, tmp_path):
    dry = copied.folder.parent / "dry"
    shutil.copytree(Path(copied.songs[1].layout["folder"]), dry / "two")
    folder = copied.result_folder("two")
    result = Result.load(folder)
    layout = result.provenance["layout"] | {"folder": str(dry / "two")}
    replace(result, provenance=result.provenance | {"layout": layout, "song_folder": str(dry / "two")}).save(folder)
    record = replace(copied.songs[1], layout=layout)
    moved = replace(copied, songs=(copied.songs[0], record, *copied.songs[2:]))
    write_tables(moved)
    assert faults(moved) == []
    track = dry / "two" / "tracks" / "bass.wav"
    frames, _ = soundfile.read(track, dtype="int16")
    frames[100] += 1
    soundfile.write(track, frames, RATE, subtype="PCM_16")
    (fault,) = faults(moved)
    assert str(track) in fault and "SHA-256" in fault
    track.unlink()
    (fault,) = faults(moved)
    assert str(track) in fault and "cannot be read" in fault


def test_a_sample_of_none_renders_nothing(copied):
    tamper_loss(copied, copied.result_folder("two"))
    assert faults(copied, sample=0) == []


def test_the_command_prints_a_line_per_fault_and_exits_with_2(copied, capsys):
    command = ["corpus", "verify", str(copied.folder), "--threads", "1"]
    assert main(command) == 0
    assert capsys.readouterr().out == ""
    tamper_graph(copied, copied.result_folder("one"))
    remove("history.jsonl")(copied, copied.result_folder("three"))
    assert main(command) == 2
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 2
    assert "2 faults" in printed.err and len(printed.err.splitlines()) == 1
    assert main([*command, "--sample", "-1"]) == 2
    assert "argument --sample: '-1': expected 0 or more" in capsys.readouterr().err


def test_last_bits_are_forgiven_and_nothing_more():
    assert (
        same_value([1.0, 2.0], np.array([1.0, 2.0000002], np.float32))
        and same_value("a", "a")
        and same_value(None, None)
    )
    assert not same_value([1.0, 2.0], [1.0, 2.001])
    assert not same_value([1.0], [1.0, 2.0]) and not same_value("a", "b") and not same_value(None, 1.0)


def test_statistics_count_what_there_is(searched, capsys):
    assert main(["corpus", "stats", str(searched.folder), "--json"]) == 0
    stats = json.loads(capsys.readouterr().out)
    results = [result for _, result in searched.results()]
    assert stats["songs"] == {"total": 4, "done": 3, "failed": 1, "running": 0, "waiting": 0}
    assert stats["failures"] == {FAILED: "the disk was full"}
    assert stats["hours"] == pytest.approx(12 / 3_600)
    assert stats["tracks"] == 9
    assert sum(split["songs"] for split in stats["splits"].values()) == 3 and set(stats["splits"]) == set(SPLITS)
    losses = [result.metrics["loss"]["pruned"]["target"] for result in results]
    assert stats["loss"]["pruned"]["target"] == pytest.approx(np.mean(losses))
    assert stats["processors"]["kept"] == sum(len(result.graph.processors) for result in results)
    assert main(["corpus", "stats", str(searched.folder)]) == 0
    said = capsys.readouterr().out
    assert "4 songs (3 done, 1 failed)" in said and "the disk was full" in said and "CC BY 4.0" in said


def test_a_licence_is_shown_as_it_is_written(copied, capsys):
    record = replace(copied.songs[0], licence="[MIT](LICENSE) [/b]")
    replace(copied, songs=(record, *copied.songs[1:])).save()
    assert main(["corpus", "stats", str(copied.folder)]) == 0
    assert "[MIT](LICENSE) [/b]" in capsys.readouterr().out
