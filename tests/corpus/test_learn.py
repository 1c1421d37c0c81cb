"""What networks get is what results say and what audio holds."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import networkx
import numpy as np
import pytest
import torch
from torch_geometric.loader import DataLoader
from torch_geometric.nn import HeteroConv, SAGEConv
from torch_geometric.transforms import ToUndirected

from mixgraph.audio.song import Song
from mixgraph.corpus import GraphDataset, SongDataset, to_networkx
from mixgraph.corpus.learn.examples import examples_of
from mixgraph.corpus.learn.features import MIX_FEATURES, TRACK_FEATURES, compute_features, features_of
from mixgraph.corpus.learn.parameters import scaled
from mixgraph.corpus.learn.songs import CACHE
from mixgraph.corpus.tables.split import SPLITS
from mixgraph.errors import ConfigError, ResultError, SongError
from mixgraph.graph.node import IN, MIX, OUT
from mixgraph.processors.base import PROCESSORS
from tests.corpus.corpora import SONGS
from tests.corpus.searches import ENVIRONMENT
from tests.engine import RATE, small_song


@pytest.fixture(scope="module")
def graphs(searched, tmp_path_factory) -> GraphDataset:
    return GraphDataset(searched, cache=tmp_path_factory.mktemp("features"))


def document(corpus, song: str) -> dict:
    return json.loads((corpus.result_folder(song) / "graph.json").read_text())


def test_nodes_and_edges_are_those_of_graph_json(searched, graphs):
    assert [data.song_id for data in graphs] == list(SONGS)
    for data in graphs:
        wanted = document(searched, data.song_id)
        types = {node["id"]: node["type"] for node in wanted["nodes"]}
        assert {name: kind for kind in data.node_types for name in data[kind].node_id} == types
        edges = [
            (data[start].node_id[source], data[end].node_id[target])
            for start, _, end in data.edge_types
            for source, target in data[start, "to", end].edge_index.T.tolist()
        ]
        assert sorted(edges) == sorted((edge["from"], edge["to"]) for edge in wanted["edges"])
        assert data.validate()


def test_processors_carry_their_physical_parameters(searched, graphs):
    for data, (_, result) in zip(graphs, searched.results(), strict=True):
        physical, weights = result.physical(), result.bank.dry_wet()
        for kind in result.bank.ids:
            names = graphs.songs.parameter_names[kind]
            for node, row in zip(data[kind].node_id, data[kind].x, strict=True):
                values = [scaled(name, value).flatten() for name, value in physical[node].items()]
                assert torch.equal(row, torch.cat([torch.tensor([weights[node]]), *values]))
                assert len(names) == len(row)
    assert graphs.songs.parameter_names["compressor"] == ("dry_wet", "threshold_db", "ratio", "knee_db", "smoothing_ms")
    assert graphs.songs.parameter_names["gain_panning"][1:] == ("gain_db[0]", "gain_db[1]")


def test_scaling_is_of_the_unit():
    assert scaled("gain_db", torch.tensor(-20.0)) == -1
    assert scaled("smoothing_ms", torch.tensor(100.0)) == scaled("ratio", torch.tensor(100.0)) == 2
    assert scaled("tap_radius", torch.tensor(0.5)) == 0.5
    assert scaled("ratio", torch.tensor(torch.inf)) == 10 and scaled("t60_s", torch.tensor(0.0)) == -10


def test_raw_parameters_are_those_on_disk(searched):
    songs = SongDataset(searched, parameters="raw", audio=False)
    for item, (_, result) in zip(songs, searched.results(), strict=True):
        for kind, group in result.bank.tensors.items():
            parameters = [group[spec.name].reshape(len(item[kind]), -1) for spec in result.processors[kind].parameters]
            assert torch.equal(item[kind], torch.cat([group["dry_wet_logit"][:, None], *parameters], 1))


def test_what_a_track_keeps_is_what_stands_before_its_sum(searched, graphs):
    types = graphs.songs.types
    assert types == tuple(PROCESSORS)
    for data, (_, result) in zip(graphs, searched.results(), strict=True):
        for node, kept in zip(data[IN].node_id, data[IN].kept, strict=True):
            wanted = {name.removeprefix(f"{node}/") for name in result.bank.dry_wet() if name.startswith(f"{node}/")}
            assert {kind for kind, is_kept in zip(types, kept, strict=True) if is_kept} == wanted
    assert torch.cat([data[IN].kept for data in graphs]).any()


def test_the_routing_tells_nothing_of_processors(searched, graphs):
    routing = GraphDataset(searched, structure="routing", cache=graphs.songs.cache)
    assert routing.metadata() == ([IN, MIX, OUT], [(IN, "to", MIX), (MIX, "to", OUT)])
    data = routing[0]
    assert data[MIX].node_id == ["subgroup:band", "subgroup:voice"]
    assert data[IN, "to", MIX].edge_index.tolist() == [[0, 1, 2], [0, 0, 1]]
    assert torch.equal(data[IN].kept, graphs[0][IN].kept)


def test_songs_batch_and_pass_through_a_network(searched, graphs):
    node_types, edge_types = graphs.metadata()
    assert set(node_types) == {kind for _, result in searched.results() for kind in result.graph.types}
    (batch,) = DataLoader(graphs, batch_size=len(graphs))  # type: ignore[arg-type]
    assert batch[IN].x.shape == (9, len(TRACK_FEATURES)) and batch[OUT].x.shape == (3, len(MIX_FEATURES))
    backwards = [(end, "rev_to", start) for start, _, end in edge_types]
    layer = HeteroConv({edge: SAGEConv((-1, -1), 5) for edge in (*edge_types, *backwards)})
    both_ways = ToUndirected()(batch.clone())
    assert layer(both_ways.x_dict, both_ways.edge_index_dict)[OUT].shape == (3, 5)
    for number, data in enumerate(batch.to_data_list()):
        for kind in node_types:
            assert torch.equal(data[kind].x, graphs[number][kind].x)


def test_splits_divide_the_songs(searched):
    parts = {split: {example.id for example in GraphDataset(searched, split=split).examples} for split in SPLITS}
    assert sorted(song for part in parts.values() for song in part) == sorted(SONGS)
    splits = {example.id: example.split for example in examples_of(searched)}
    assert all(splits[song] == split for split, part in parts.items() for song in part)


def test_waveforms_are_the_songs(searched):
    songs = SongDataset(searched, audio=False, waveform_seconds=1.0)
    item = songs[0]
    with songs.song(0) as song:
        start = (song.samples - RATE) // 2
        assert np.array_equal(item["track_waveforms"], song.track_segment(start, RATE))
        assert np.array_equal(item["mix_waveform"], song.mix_segment(start, RATE))
    assert set(item) >= {"node_type", "edge_index", "kept"} and "track_features" not in item


def test_features_are_computed_once_and_outlive_the_audio(copied, caplog):
    before = GraphDataset(copied)[0]
    files = sorted((copied.folder / CACHE).glob("*"))
    assert [file.suffix for file in files] == [".safetensors"]
    example = replace(examples_of(copied)[0], layout=replace(examples_of(copied)[0].layout, tracks={}, mix=None))
    assert torch.equal(features_of(example, copied.folder / CACHE).tracks, before[IN].x)
    files[0].write_bytes(files[0].read_bytes()[:100])
    assert torch.equal(GraphDataset(copied)[0][IN].x, before[IN].x)
    assert "is damaged" in caplog.text
    louder = replace(examples_of(copied)[0], inputs={"mix.flac": "other"})
    features_of(louder, copied.folder / CACHE)
    assert len(list((copied.folder / CACHE).glob("*"))) == 2


def test_a_folder_of_known_graphs_is_a_source(searched, tmp_path):
    for name in ("one", "two"):
        home = Path(shutil.copytree(searched.folder.parent / "dry" / name, tmp_path / "songs" / name))
        shutil.copytree(searched.result_folder(name), home / "truth")
    # Nobody knows how this one was made.
    shutil.copytree(searched.folder.parent / "dry" / "three", tmp_path / "songs" / "three")
    graphs = GraphDataset(tmp_path / "songs")
    assert [data.song_id for data in graphs] == ["one", "two"]
    assert len(list((tmp_path / "songs" / CACHE).iterdir())) == 2
    assert (graphs[0][IN].x[0] == GraphDataset(searched, cache=tmp_path / "c")[0][IN].x[0]).all()
    (tmp_path / "none").mkdir()
    with pytest.raises(ResultError, match="has no graphs"):
        GraphDataset(tmp_path / "none")


def test_what_is_not_known_is_refused(searched):
    refused: tuple[dict[str, Any], ...] = ({"split": "dev"}, {"structure": "tree"}, {"parameters": "hz"})
    for wrong in refused:
        with pytest.raises(ConfigError, match=next(iter(wrong.values()))):
            SongDataset(searched, **wrong)


def test_networkx_has_the_same_graph(searched):
    for _, result in searched.results():
        network = to_networkx(result)
        assert networkx.is_directed_acyclic_graph(network)
        assert list(network) == [node.id for node in result.graph.nodes]
        assert sorted(network.edges()) == sorted(result.graph.edges)
        for name, weight in result.bank.dry_wet().items():
            assert network.nodes[name]["dry_wet"] == weight
            for parameter, value in result.physical()[name].items():
                assert network.nodes[name]["parameters"][parameter] == value.tolist()
        bass = {"type": "in", "source": "bass", "track": "bass", "subgroup": "band"}
        assert network.nodes["track:bass"] == bass


def test_an_edge_given_twice_is_there_twice(searched):
    result = next(result for _, result in searched.results())
    doubled = replace(result.graph, edges=(*result.graph.edges, result.graph.edges[0]))
    network = to_networkx(replace(result, graph=doubled))
    assert network.number_of_edges(*result.graph.edges[0]) == 2


WITHOUT_TABLES = """
import sys
sys.modules["pyarrow"] = None
from mixgraph.cli import main
from mixgraph.corpus import GraphDataset, to_networkx
assert len(GraphDataset(sys.argv[1], audio=False)[0]["in"].node_id) == 3
sys.exit(main(["corpus", "export", sys.argv[1], "-o", sys.argv[2]]))
"""


def test_networks_need_no_package_for_tables_and_exports_say_so(searched, tmp_path):
    command = [sys.executable, "-c", WITHOUT_TABLES, str(searched.folder), str(tmp_path / "copy")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "the package 'pyarrow' is missing; pip install 'mixgraph[corpus]'" in done.stderr
    assert not list(tmp_path.iterdir())


def column(name: str) -> int:
    return TRACK_FEATURES.index(name)


def heard(tracks: dict[str, np.ndarray], mix: np.ndarray) -> np.ndarray:
    """The features of the first track."""
    song = Song.from_arrays("x", tracks, mix.astype(np.float32), RATE)
    return compute_features(song, list(tracks)).tracks[0].numpy()


@pytest.fixture(scope="module")
def tracks() -> dict[str, np.ndarray]:
    """Noise on both channels alike that comes and goes, at different times."""
    song = small_song(("a", "b"), samples=8 * RATE)
    found = {name: np.repeat(song.track(name)[:1], 2, 0) for name in song.tracks}
    for number, signal in enumerate(found.values()):
        signal *= np.repeat(np.random.default_rng(number).uniform(0.05, 1, 32), RATE // 4)
    return found


def test_features_have_one_number_per_name_and_no_trap_in_silence(tracks):
    silent = {**tracks, "s": np.zeros_like(tracks["a"])}
    song = Song.from_arrays("x", silent, tracks["a"], RATE)
    found = compute_features(song, list(silent))
    assert found.tracks.shape == (3, len(TRACK_FEATURES)) and found.mix.shape == (len(MIX_FEATURES),)
    assert found.tracks.isfinite().all() and found.tracks.abs().max() < 10
    with pytest.raises(SongError, match="has no mix"):
        compute_features(Song.from_arrays("x", tracks, None, RATE), ["a"])


def test_gain_and_panning_are_heard_through_another_track(tracks):
    plain = heard(tracks, tracks["a"] + tracks["b"])
    assert abs(plain[column("gain")]) < 0.01 and abs(plain[column("pan")]) < 0.01
    assert abs(plain[column("gain_spread")]) < 0.02
    softer = heard(tracks, 0.1 * tracks["a"] + tracks["b"])
    assert softer[column("gain")] == pytest.approx(-1, abs=0.05)  # -20 dB
    panned = heard(tracks, tracks["a"] * np.array([[1.5], [0.5]]) + tracks["b"])
    assert panned[column("pan")] == pytest.approx(0.5, abs=0.02)


def test_a_wider_image_is_heard_wherever_it_is_panned(tracks):
    stereo = {**tracks, "a": tracks["a"] + 0.1 * small_song(("x",), samples=8 * RATE, seed=9).track("x")}
    mid, side = stereo["a"].mean(0), (stereo["a"][0] - stereo["a"][1]) / 2
    assert abs(heard(stereo, stereo["a"] + stereo["b"])[column("width")]) < 0.05
    wide = np.stack([mid + 2 * side, mid - 2 * side])
    for gains in ([[1], [1]], [[0.5], [0.5]], [[1.2], [0.6]]):
        assert heard(stereo, wide * np.array(gains) + stereo["b"])[column("width")] == pytest.approx(0.6, abs=0.06)


def test_an_equaliser_is_heard_as_its_curve(tracks):
    low_passed = np.stack([np.convolve(channel, [0.25, 0.5, 0.25], "same") for channel in tracks["a"]])
    found = heard(tracks, low_passed + tracks["b"])
    curve = found[column("gain[0]") : column("gain[23]") + 1]
    assert np.all(np.diff(curve[:20]) < 0.05) and curve[2] - curve[18] > 0.5
    assert found[column("gain_spread")] > 0.1


def test_a_compressor_a_delay_and_a_reverb_are_told_apart(tracks):
    plain = heard(tracks, tracks["a"] + tracks["b"])
    frames = tracks["a"].reshape(2, -1, RATE // 100)
    level_db = 10 * np.log10(np.square(frames).mean((0, 2)) + 1e-9)
    gain = 10 ** (-0.5 * np.maximum(level_db - np.median(level_db), 0) / 20)
    squeezed = heard(tracks, (frames * gain[:, None]).reshape(2, -1) + tracks["b"])
    assert squeezed[column("dynamics_above")] < plain[column("dynamics_above")] - 0.2
    echo = np.zeros_like(tracks["a"])
    echo[:, 2_400:] = 0.4 * tracks["a"][:, :-2_400]  # 300 ms: nine frames, so the fourth lag
    ringing = slice(column("ringing_mid[1,0]"), column("ringing_mid[1,5]") + 1)
    echoed = heard(tracks, tracks["a"] + echo + tracks["b"])[ringing]
    assert np.argmax(echoed - plain[ringing]) == 3 and echoed[3] - plain[ringing][3] > 0.4
    assert abs(squeezed[ringing] - plain[ringing])[3] < 0.3


def test_long_songs_are_heard_block_by_block_as_in_one_piece(tracks, monkeypatch):
    mix = tracks["a"] + 0.5 * tracks["b"]
    whole = heard(tracks, mix)
    monkeypatch.setattr("mixgraph.corpus.learn.spectra.BLOCK_FRAMES", 37)
    np.testing.assert_allclose(heard(tracks, mix), whole, atol=2e-3)
