"""A result folder: what is saved is what was found, and loading believes nothing."""

from __future__ import annotations

import json
import pickle
from importlib.resources import files
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mixgraph.audio.files import read_audio, write_audio
from mixgraph.audio.song import Song
from mixgraph.console import build_console
from mixgraph.errors import ResultError
from mixgraph.fit.problem import Problem
from mixgraph.processors.bank import ParameterBank, make_processors
from mixgraph.render.batched import BatchedRenderer
from mixgraph.result.result import Result
from mixgraph.run.search import count_processors, pruning_ratio
from tests.engine import RATE, noise, random_bank, small_config, small_processors, small_song
from tests.strategies import CHAIN

FILES = ("graph.json", "parameters.safetensors", "metrics.json", "provenance.json")
NAMES = ("bass", "drums", "voice")
LOSS = {"target": 1.0, "published": 2.0}
METRICS = {
    "loss": {"plain_sum": LOSS, "console": LOSS, "pruned": LOSS},
    "pruning_ratio": {"total": 0.5},
    "processors": {"initial": {"total": 2}, "kept": {"total": 1}},
}


@pytest.fixture(scope="module")
def result() -> Result:
    """A pruned console with all types left, parameters far from their start."""
    graph = build_console(NAMES, {"band": NAMES[:2]}, CHAIN)
    graph = graph.without([f"track:{NAMES[index % 3]}/{type}" for index, type in enumerate(CHAIN)])
    config = small_config()
    bank = random_bank(graph, small_processors(), std=0.5, dtype=torch.float32)
    return Result(graph, bank, config, METRICS, {"config": config.model_dump(mode="json"), "song": "small"})


@pytest.fixture
def folder(result, tmp_path) -> Path:
    result.save(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def song() -> Song:
    return small_song(NAMES, gains=[[1, 0.5], [0.7, 1], [0.2, 0.9]])


def test_save_and_load_change_nothing(result, folder, song):
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    loaded = Result.load(folder)
    assert (loaded.graph, loaded.config) == (result.graph, result.config)
    assert (loaded.metrics, loaded.provenance, loaded.tracks) == (result.metrics, result.provenance, NAMES)
    assert np.array_equal(loaded.render(song), result.render(song))
    assert loaded.evaluate(song) == result.evaluate(song)
    loaded.save(folder)
    for name, tensor in Result.load(folder).bank.flatten().items():
        assert torch.equal(tensor, result.bank.flatten()[name])


def test_rows_follow_the_graph_however_the_bank_is_ordered(result, tmp_path, song):
    ids = {type: tuple(reversed(names)) for type, names in reversed(result.bank.ids.items())}
    Result(result.graph, result.bank.keep(ids), result.config, METRICS, result.provenance).save(tmp_path)
    assert np.array_equal(Result.load(tmp_path).render(song), result.render(song))


def test_the_graph_file_follows_its_schema_and_names_every_value(result, folder):
    document = json.loads((folder / "graph.json").read_text())
    schema = json.loads((files("mixgraph") / "graph" / "graph.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)
    by_id = {node["id"]: node for node in document["nodes"]}
    assert set(by_id) == {node.id for node in result.graph.nodes}
    assert [(edge["from"], edge["to"]) for edge in document["edges"]] == list(result.graph.edges)
    for node in result.graph.nodes:
        assert ("parameters" in by_id[node.id]) == ("dry_wet" in by_id[node.id]) == node.is_processor


def test_physical_values_in_the_graph_file_are_the_stored_parameters(result, folder):
    document = json.loads((folder / "graph.json").read_text())
    processors = make_processors(CHAIN, RATE, result.config.processors)
    by_id = {node["id"]: node for node in document["nodes"]}
    for type, ids in result.bank.ids.items():
        for row, node_id in enumerate(ids):
            values = by_id[node_id]["parameters"]
            physical = {name: torch.tensor(value, dtype=torch.float64)[None] for name, value in values.items()}
            raw = processors[type].raw(physical)
            for spec in processors[type].parameters:
                stored = result.bank.tensors[type][spec.name][row]
                found = raw[spec.name][0].float().reshape(stored.shape)
                torch.testing.assert_close(found, stored, rtol=1e-3, atol=2e-4)
            assert by_id[node_id]["dry_wet"] == pytest.approx(result.bank.dry_wet()[node_id])


def test_a_whole_song_is_rendered_as_one_segment_would_be(result, song):
    processors = make_processors(CHAIN, RATE, result.config.processors)
    renderer = BatchedRenderer(result.graph, processors, song.tracks)
    with torch.no_grad():
        wanted = renderer.render(torch.from_numpy(song.track_segment(0, song.samples)), result.bank).output.numpy()
    found = result.render(song)
    assert found.shape == (2, song.samples) and found.dtype == np.float32
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())


def test_a_long_song_is_rendered_without_block_edges(result):
    """Longer than two convolution blocks: the start equals that of a short song, whatever follows."""
    linear = result.graph.without([*result.graph.ids_of("compressor"), *result.graph.ids_of("noise_gate")])
    only = Result(linear, result.bank, result.config, {}, {})
    long = small_song(NAMES, samples=1_100_000)
    short = Song.from_arrays("cut", {name: long.track(name)[:, :400_000] for name in NAMES}, None, RATE)
    wanted = only.render(short)[:, :399_000]
    np.testing.assert_allclose(only.render(long)[:, :399_000], wanted, rtol=0, atol=1e-4 * np.abs(wanted).max())


def test_extreme_parameters_are_saved(result, tmp_path):
    bank = result.bank.keep(result.bank.ids)
    bank.tensors["compressor"]["log_ratio"].fill_(100.0)
    bank.tensors["reverb"]["decay_log_magnitude"].fill_(-110.0)
    Result(result.graph, bank, result.config, METRICS, result.provenance).save(tmp_path)
    nodes = json.loads((tmp_path / "graph.json").read_text())["nodes"]
    assert max(node["parameters"]["ratio"] for node in nodes if node["type"] == "compressor") > 1e38
    assert float(Result.load(tmp_path).bank.tensors["compressor"]["log_ratio"].min()) == 100.0


@pytest.mark.parametrize("samples", [2_000, 3_333, 9_000])
def test_another_song_with_the_same_tracks_is_rendered_in_any_length_and_order(result, samples):
    other = small_song((*reversed(NAMES), "unused"), samples=samples, seed=7, name="other")
    same = Song.from_arrays("same", {name: other.track(name) for name in NAMES}, other.mix(), RATE)
    found = result.render(other)
    assert found.shape == (2, samples)
    assert np.array_equal(found, result.render(same))
    assert not np.allclose(found[:, :1_000], result.render(small_song(NAMES))[:, :1_000])
    assert result.evaluate(same).target.total == pytest.approx(result.evaluate(other).target.total)


def test_a_song_that_does_not_fit_is_refused(result):
    lacking = small_song(NAMES[:2])
    with pytest.raises(ResultError, match=r"'small'.*'voice'"):
        result.render(lacking)
    signal = noise(2, 4_000).numpy()
    faster = Song.from_arrays("fast", dict.fromkeys(NAMES, signal), signal, 2 * RATE)
    for use in (result.render, result.evaluate, result.stems):
        with pytest.raises(ResultError, match=r"'fast'.*16000 Hz.*8000 Hz"):
            use(faster)


@pytest.mark.parametrize("chain", [CHAIN, (), ("reverb",)])
def test_stems_add_up_to_the_mix(chain, song):
    graph = build_console(NAMES, {"band": NAMES[:2], "band/top": NAMES[2:]}, chain)
    bank = random_bank(graph, small_processors(), dtype=torch.float32)
    stems = (found := Result(graph, bank, small_config(), {}, {})).stems(song)
    assert set(stems) == {"band", "band/top"}
    whole = found.render(song)
    np.testing.assert_allclose(sum(stems.values()), whole, rtol=0, atol=1e-5 * np.abs(whole).max())


def test_the_written_mix_is_the_rendered_one(result, song, tmp_path):
    quiet = ParameterBank(result.bank.ids, result.bank.tensors)
    found = Result(result.graph, quiet, result.config, {}, {})
    write_audio(tmp_path / "mix.wav", found.render(song), song.sample_rate)
    np.testing.assert_allclose(read_audio(tmp_path / "mix.wav", RATE), found.render(song), atol=1e-6)


def test_counts_and_ratios():
    console = build_console(NAMES, {}, CHAIN)
    pruned = console.without(["track:bass/reverb", "track:bass/equalizer", "subgroup:bass/reverb"])
    initial, kept = count_processors(console), count_processors(pruned)
    assert initial == {"total": 42, "by_type": dict.fromkeys(sorted(CHAIN), 6)}
    ratio = pruning_ratio(initial, kept)
    assert ratio["total"] == pytest.approx(3 / 42)
    assert (ratio["by_type"]["reverb"], ratio["by_type"]["equalizer"]) == (pytest.approx(1 / 3), pytest.approx(1 / 6))
    assert sum(ratio["by_type"].values()) == pytest.approx(1 / 2)
    nothing = count_processors(console.without([node.id for node in console.processors]))
    assert pruning_ratio(initial, nothing) == {"total": 1.0, "by_type": dict.fromkeys(sorted(CHAIN), 1.0)}
    assert pruning_ratio(nothing, nothing) == {"total": 0.0, "by_type": {}}


def assert_names_the_file(folder: Path, name: str) -> None:
    with pytest.raises(ResultError) as caught:
        Result.load(folder)
    assert str(caught.value).startswith(str(folder / name))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00", b"null", b"[1]", b"{", b"[" * 100_000, b'{"a": 1}'])
def test_a_damaged_file_is_named(folder, name, content):
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    assert_names_the_file(folder, name)


@pytest.mark.parametrize("value", [None, "0.5", {}])
def test_metrics_that_cannot_be_shown_are_named(folder, value):
    edit(folder / "metrics.json", lambda metrics: metrics["processors"]["kept"].update(total=value))
    with pytest.raises(ResultError, match=r"metrics\.json: 'processors\.kept\.total' is .*expected a number"):
        Result.load(folder)


def edit(path: Path, change) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


@pytest.mark.parametrize(
    "change",
    [
        lambda graph: graph.update(schema_version=2),
        lambda graph: graph["nodes"].pop(),
        lambda graph: graph["nodes"][1].update(type="flanger"),
        lambda graph: graph["nodes"][1].update(type=7),
        lambda graph: graph["edges"].append({"from": "out", "to": "track:bass"}),
        lambda graph: graph.update(nodes={}),
    ],
)
def test_a_graph_that_is_none_is_named(folder, change):
    edit(folder / "graph.json", change)
    assert_names_the_file(folder, "graph.json")


@pytest.mark.parametrize(
    "config", [7, None, {"sead": 1}, {"audio": {"sample_rate": "fast"}}, {"audio": {"sample_rate": -1}}]
)
def test_settings_that_are_none_are_named(folder, config):
    edit(folder / "provenance.json", lambda provenance: provenance.update(config=config))
    assert_names_the_file(folder, "provenance.json")


@pytest.mark.parametrize("damage", ["missing", "shape", "nothing", "no dry/wet", "integers", "odd name", "not finite"])
def test_parameters_that_do_not_fit_are_named(result, folder, damage):
    from safetensors.torch import save_file

    tensors = {name: tensor.clone() for name, tensor in result.bank.flatten().items()}
    match damage:
        case "missing":
            del tensors["equalizer.log_magnitude"]
        case "shape":
            tensors["reverb.decay_log_magnitude"] = tensors["reverb.decay_log_magnitude"][:-1]
        case "nothing":
            tensors = {}
        case "no dry/wet":
            del tensors["gain_panning.dry_wet_logit"]
        case "integers":
            tensors["gain_panning.log_gain"] = tensors["gain_panning.log_gain"].long()
        case "odd name":
            tensors = {"nameless": torch.zeros(1)}
        case "not finite":
            tensors["gain_panning.log_gain"][0, 0] = torch.nan
    save_file(tensors, folder / "parameters.safetensors")
    assert_names_the_file(folder, "parameters.safetensors")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(FILES), place=st.floats(0, 1), byte=st.integers(0, 255), cut=st.booleans())
def test_no_damage_raises_anything_else(result, folder, name, place, byte, cut):
    """A flipped byte or a cut anywhere: the folder loads, or a `ResultError` names one of its files."""
    result.save(folder)
    data = bytearray((folder / name).read_bytes())
    position = min(int(place * len(data)), len(data) - 1)
    data[position] = byte
    (folder / name).write_bytes(data[:position] if cut else data)
    try:
        Result.load(folder)
    except ResultError as error:
        assert str(folder) in str(error)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ResultError, match="nowhere"):
        Result.load(tmp_path / "nowhere")


class Trap:
    """Unpickled, it would leave a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


def test_a_load_never_unpickles(folder, monkeypatch):
    for name in FILES:
        mark, whole = folder / "mark", (folder / name).read_bytes()
        (folder / name).write_bytes(pickle.dumps(Trap(mark)))
        assert_names_the_file(folder, name)
        torch.save({"a": Trap(mark)}, folder / name)
        assert_names_the_file(folder, name)
        assert not mark.exists()
        (folder / name).write_bytes(whole)

    def refuse(*_, **__):
        raise AssertionError("a load must not unpickle")

    for module, names in ((pickle, ("load", "loads", "Unpickler")), (torch, ("load",))):
        for name in names:
            monkeypatch.setattr(module, name, refuse)
    assert Result.load(folder).tracks == NAMES


def test_a_loaded_result_can_be_trained_on(folder, song):
    """The parameters are plain leaves: nothing of the file keeps hold of them."""
    loaded = Result.load(folder)
    problem = Problem(song, loaded.config, torch.device("cpu"))
    leaves = loaded.bank.require_grad()
    problem.objective(problem.renderer(loaded.graph), loaded.bank, 0, sparsity=0.1).total.backward()
    assert all(leaf.grad is not None and torch.isfinite(leaf.grad).all() for leaf in leaves)
