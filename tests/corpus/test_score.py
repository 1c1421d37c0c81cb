"""Scores of graphs whose differences are made here, one at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from mixgraph.audio.song_file import Layout
from mixgraph.cli import main
from mixgraph.console import build_console
from mixgraph.corpus.folder import Corpus, SongRecord, State
from mixgraph.corpus.scoring.score import Counts, pool, score
from mixgraph.corpus.synthetic.draw import make_bank
from mixgraph.corpus.synthetic.settings import Settings
from mixgraph.errors import ResultError
from mixgraph.processors.bank import ParameterBank, chain_types, make_processors
from mixgraph.result.result import Result, processor_ids
from mixgraph.run.search import count_processors
from tests.engine import small_config

CHAIN = "ecnsgdr"
TRACKS = ("bass", "drums", "voice")
SUBGROUPS = {"band": ["bass", "drums"], "song": ["voice"]}
PLACES = len(CHAIN) * (len(TRACKS) + len(SUBGROUPS))
CONFIG = small_config(
    processors={"equalizer_bins": 256, "delay_seconds": 1.0, "delay_slot_seconds": 0.1, "reverb_seconds": 0.3}
)
PROCESSORS = make_processors(chain_types(CHAIN), CONFIG.audio.sample_rate, CONFIG.processors)
CONSOLE = build_console(TRACKS, SUBGROUPS, chain_types(CHAIN))
NO_LOSS = {stage: {"target": 0.0, "published": 0.0} for stage in ("plain_sum", "console", "pruned")}


def settings(dry_wet: float = 1.0, **physical: Any) -> Settings:
    values = {name: torch.as_tensor(value, dtype=torch.float64) for name, value in physical.items()}
    return Settings(values, dry_wet)


def delay(*times_ms: float, dry_wet: float = 0.3) -> Settings:
    """Echoes on both sides, all else silent."""
    time, color = 100.0 * torch.arange(10).repeat(2, 1), torch.full((2, 10, 4), -90.0)
    for echo in times_ms:
        time[:, int(echo // 100)], color[:, int(echo // 100)] = echo, 0.0
    return settings(dry_wet, tap_time_ms=time, tap_radius=torch.full((2, 10), 0.9), color_db=color)


def reverb(t60_s: float, dry_wet: float = 0.3) -> Settings:
    return settings(dry_wet, initial_db=torch.zeros(2, 9), t60_s=torch.full((2, 9), t60_s))


TRUE: dict[str, Settings] = {
    "track:bass/equalizer": settings(magnitude_db=torch.linspace(-6, 6, 256)),
    "track:bass/gain_panning": settings(gain_db=[3.0, -3.0]),
    "track:drums/compressor": settings(0.8, threshold_db=-20.0, ratio=4.0, knee_db=6.0, smoothing_ms=20.0),
    "track:drums/noise_gate": settings(threshold_db=-40.0, ratio=2.0, knee_db=3.0, smoothing_ms=30.0),
    "track:voice/multitap_delay": delay(250.0, 500.0),
    "track:voice/reverb": reverb(0.8),
    "subgroup:band/stereo_imager": settings(side_gain_db=6.0),
    "subgroup:band/reverb": reverb(1.5),
}


def result(drawn: Mapping[str, Settings]) -> Result:
    """The result with these processors."""
    graph = CONSOLE.without({node.id for node in CONSOLE.processors} - drawn.keys())
    counts = {"initial": count_processors(CONSOLE), "kept": count_processors(graph)}
    metrics = {"loss": NO_LOSS, "processors": counts, "pruning_ratio": {"total": 0.0}}
    provenance = {"config": CONFIG.model_dump(mode="json"), "song": "made here"}
    return Result(graph, make_bank(graph, drawn, PROCESSORS), CONFIG, metrics, provenance)


def changed(node: str, **physical: Any) -> Result:
    """The true result with other settings of one processor."""
    return result(TRUE | {node: replace(TRUE[node], physical=settings(**physical).physical)})


def errors(found: Result, node: str) -> dict[str, float]:
    """The errors of a type that the truth has once, all others being none."""
    scored = score(found, result(TRUE))
    kind = node.rpartition("/")[2]
    assert not any(max(values) for other in scored.errors if other != kind for values in scored.errors[other].values())
    return scored.medians()[kind]


def test_the_truth_is_perfect() -> None:
    scored = score(result(TRUE), result(TRUE))
    assert scored.total == Counts(len(TRUE), len(TRUE), len(TRUE)) and scored.edit_distance == 0
    assert scored.total.f1 == scored.total_on_path.f1 == scored.total.precision == scored.total.recall == 1
    assert set(scored.errors) == {name.rpartition("/")[2] for name in TRUE}
    assert {value for of in scored.errors.values() for values in of.values() for value in values} == {0.0}


def test_the_full_console_recalls_all_and_its_precision_is_the_share_that_is_true() -> None:
    bank = ParameterBank.initial(
        processor_ids(CONSOLE), PROCESSORS, std=0.1, generator=torch.Generator().manual_seed(0)
    )
    scored = score(replace(result(TRUE), graph=CONSOLE, bank=bank), result(TRUE))
    assert scored.total == Counts(len(TRUE), PLACES, len(TRUE))
    assert scored.total.recall == scored.total_on_path.recall == 1
    assert scored.total.precision == len(TRUE) / PLACES
    assert scored.edit_distance == PLACES - len(TRUE)
    assert sum(scored.places.values()) == PLACES


def test_nothing_found_is_no_precision_and_no_error() -> None:
    scored = score(result({}), result(TRUE))
    assert scored.total == Counts(len(TRUE), 0, 0)
    assert (scored.total.precision, scored.total.recall, scored.total.f1) == (None, 0, 0)
    assert scored.edit_distance == len(TRUE) and not scored.errors
    assert json.loads(json.dumps(scored.to_json()))["nodes"]["total"]["precision"] is None


@pytest.mark.parametrize("node", TRUE)
def test_dropping_a_node_changes_its_own_type_only(node: str) -> None:
    scored, perfect = (
        score(result({name: TRUE[name] for name in TRUE if name not in left_out}), result(TRUE))
        for left_out in ({node}, set())
    )
    kind = node.rpartition("/")[2]
    assert scored.edit_distance == 1
    assert scored.nodes[kind] == Counts(perfect.nodes[kind].true, *[perfect.nodes[kind].both - 1] * 2)
    assert {name: count for name, count in scored.nodes.items() if name != kind} == {
        name: count for name, count in perfect.nodes.items() if name != kind
    }
    assert scored.nodes[kind].precision in (1, None)


def test_a_processor_of_the_subgroup_counts_on_the_way_of_each_of_its_tracks() -> None:
    """A reverb on both tracks instead of their subgroup: three wrong places, and right on the way of each track."""
    moved = {name: TRUE[name] for name in TRUE if name != "subgroup:band/reverb"}
    moved |= {f"track:{track}/reverb": reverb(1.5) for track in SUBGROUPS["band"]}
    scored = score(result(moved), result(TRUE))
    assert scored.nodes["reverb"] == Counts(true=2, found=3, both=1)
    assert scored.on_path["reverb"] == Counts(true=3, found=3, both=3)
    assert scored.edit_distance == 3


def test_a_processor_beyond_the_truth_is_one_edit_and_costs_precision() -> None:
    scored = score(result(TRUE | {"subgroup:song/reverb": reverb(1.0)}), result(TRUE))
    assert scored.nodes["reverb"] == Counts(true=2, found=3, both=2) and scored.edit_distance == 1
    assert scored.on_path["reverb"] == Counts(true=3, found=3, both=3)


def test_a_level_of_an_equaliser_is_no_error_of_its_shape() -> None:
    louder = errors(
        changed("track:bass/equalizer", magnitude_db=torch.linspace(-6, 6, 256) + 4), "track:bass/equalizer"
    )
    assert louder["curve_db"] == pytest.approx(4, abs=0.01)
    assert louder["shape_db"] == pytest.approx(0, abs=0.01)
    assert louder["peak_hz"] == 0


def test_the_same_curve_in_fewer_bins_is_nearly_no_error() -> None:
    small = small_config(processors=CONFIG.processors.model_dump() | {"equalizer_bins": 128})
    processors = make_processors(chain_types(CHAIN), small.audio.sample_rate, small.processors)
    coarse = TRUE | {"track:bass/equalizer": settings(magnitude_db=torch.linspace(-6, 6, 128))}
    true = result(TRUE)
    found = replace(true, bank=make_bank(true.graph, coarse, processors), config=small)
    assert errors(found, "track:bass/equalizer")["curve_db"] < 0.1


def test_errors_of_gains_are_of_level_and_of_panning() -> None:
    node = "track:bass/gain_panning"
    assert errors(changed(node, gain_db=[5.0, -1.0]), node) == pytest.approx({"gain_db": 2, "pan_db": 0}, abs=1e-5)
    assert errors(changed(node, gain_db=[5.0, -5.0]), node) == pytest.approx({"gain_db": 0, "pan_db": 4}, abs=1e-5)


def test_half_of_a_gain_is_a_smaller_gain() -> None:
    node, half = "subgroup:band/stereo_imager", 20 * torch.log10(torch.tensor(2 * 10 ** (6 / 20) - 1)).item()
    found = result(TRUE | {node: settings(0.5, side_gain_db=half)})
    assert errors(found, node)["side_db"] == pytest.approx(0, abs=1e-5)


def test_errors_of_a_compressor_are_its_settings_and_what_they_do() -> None:
    node = "track:drums/compressor"
    found = errors(changed(node, threshold_db=-17.0, ratio=2.0, knee_db=6.0, smoothing_ms=25.0), node)
    assert found["threshold_db"] == pytest.approx(3, abs=1e-4)
    assert found["ratio"] == pytest.approx(2, abs=1e-4)
    assert found["smoothing_ms"] == pytest.approx(5, abs=1e-2)
    assert found["knee_db"] == pytest.approx(0, abs=1e-4) and found["dry_wet"] == 0
    # At full scale 17 dB above the threshold become 8.5, and 20 become 5: nowhere is the difference larger.
    assert 1 < found["curve_db"] < 6.5


def test_what_never_acts_differs_from_another_such_by_its_settings_only() -> None:
    node = "track:drums/noise_gate"
    asleep = settings(threshold_db=-80.0, ratio=2.0, knee_db=3.0, smoothing_ms=30.0)
    idle = settings(threshold_db=-90.0, ratio=4.0, knee_db=3.0, smoothing_ms=30.0)
    found = score(result(TRUE | {node: idle}), result(TRUE | {node: asleep})).medians()["noise_gate"]
    assert found["threshold_db"] == pytest.approx(10, abs=1e-4) and found["curve_db"] == pytest.approx(0, abs=1e-6)


def test_errors_of_a_delay_are_distances_of_echoes_and_of_dry_wet() -> None:
    node = "track:voice/multitap_delay"
    found = errors(result(TRUE | {node: delay(260.0, 520.0, dry_wet=0.5)}), node)
    assert found == pytest.approx({"time_ms": 15, "dry_wet": 0.2}, abs=1e-2)
    # A third echo that is not in the truth is no error of those that are.
    assert errors(result(TRUE | {node: delay(250.0, 500.0, 750.0)}), node)["time_ms"] == pytest.approx(0, abs=1e-3)


def test_errors_of_a_reverb_are_of_its_time() -> None:
    found = score(result(TRUE | {"track:voice/reverb": reverb(1.1, 0.4)}), result(TRUE)).errors["reverb"]
    # In the order of the graph: tracks come first.
    assert found["t60_s"] == pytest.approx([0.3, 0], abs=1e-4)
    assert found["dry_wet"] == pytest.approx([0.1, 0], abs=1e-6)


def test_pooled_counts_are_sums_and_pooled_errors_are_all_of_them() -> None:
    ones = [score(result(TRUE), result(TRUE)), score(result({}), result(TRUE))]
    ones.append(score(changed("track:bass/gain_panning", gain_db=[5.0, -1.0]), result(TRUE)))
    pooled = pool(ones)
    assert pooled.total == Counts(3 * len(TRUE), 2 * len(TRUE), 2 * len(TRUE))
    assert pooled.total_on_path == sum((one.total_on_path for one in ones), Counts())
    assert pooled.edit_distance == len(TRUE)
    assert sum(pooled.places.values()) == 3 * PLACES
    assert pooled.errors["gain_panning"]["gain_db"] == pytest.approx([0, 2], abs=1e-5)


def test_graphs_of_another_console_are_refused() -> None:
    alone = build_console(TRACKS, {}, chain_types(CHAIN))
    graph = alone.without({node.id for node in alone.processors})
    other = replace(result({}), graph=graph, bank=ParameterBank({}, {}))
    with pytest.raises(ResultError, match=r"'subgroup:band' is in one graph only.*same subgroups"):
        score(other, result(TRUE))


def test_processors_in_another_order_are_refused() -> None:
    names = {"track:voice/multitap_delay", "track:voice/reverb"}
    turned = build_console(TRACKS, SUBGROUPS, chain_types(CHAIN[::-1]))
    graph = turned.without({node.id for node in turned.processors} - names)
    true = result({name: TRUE[name] for name in names})
    with pytest.raises(ResultError, match="another order"):
        score(replace(true, graph=graph), true)


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    """Two finished songs, of which the first has a truth, and one that waits."""
    (tmp_path / "truth").mkdir()
    result(TRUE).save(tmp_path / "truth")
    layout = Layout("made here", {}, folder=tmp_path).to_json()
    records = [
        SongRecord("known", "", "", "", layout, truth=str(tmp_path / "truth")),
        SongRecord("unknown", "", "", "", layout),
        SongRecord("waiting", "", "", "", layout, truth=str(tmp_path / "truth")),
    ]
    made = Corpus(tmp_path / "corpus", "made", "folder", CONFIG, tuple(records))
    made.save()
    for name in ("known", "unknown"):
        made.result_folder(name).mkdir()
        result(TRUE | {"subgroup:song/reverb": reverb(1.0)}).save(made.result_folder(name))
        made.set_state(name, State(status="done"))
    return made


def test_a_corpus_is_scored_by_its_known_songs(corpus: Corpus, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["corpus", "score", str(corpus.folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    expected = score(result(TRUE | {"subgroup:song/reverb": reverb(1.0)}), result(TRUE)).to_json()
    assert found["songs"].keys() == {"known"}
    assert found["pooled"]["nodes"] == expected["nodes"] == found["songs"]["known"]["nodes"]
    assert found["pooled"]["edit_distance"] == 1
    assert found["pooled"]["nodes"]["total"]["true"] == len(TRUE)


def test_truths_are_found_from_the_folder_of_the_dataset(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    replace(corpus, songs=tuple(replace(song, truth=song.truth and "truth") for song in corpus.songs)).save()
    monkeypatch.setenv("MIXGRAPH_SONGS", str(corpus.folder.parent))
    assert main(["corpus", "score", str(corpus.folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["songs"].keys() == {"known"}


def test_one_result_is_scored_in_a_table(corpus: Corpus, capsys: pytest.CaptureFixture[str]) -> None:
    places = ["--result", str(corpus.result_folder("known")), "--truth", str(corpus.folder.parent / "truth")]
    assert main(["corpus", "score", *places]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["reverb", "2", "3", "2", "67%", "100%", "80%", "40%"] in lines
    assert ["all", "8", "9", "8", "89%", "100%", "94%", "23%"] in lines


def test_a_corpus_without_truths_and_a_half_command_are_refused(
    corpus: Corpus, capsys: pytest.CaptureFixture[str]
) -> None:
    replace(corpus, songs=corpus.songs[1:2]).save()
    assert main(["corpus", "score", str(corpus.folder)]) == 2
    assert "no finished song has a known truth" in capsys.readouterr().err
    for words in ([], ["--result", "somewhere"], [str(corpus.folder), "--result", "here", "--truth", "there"]):
        assert main(["corpus", "score", *words]) == 2
        assert "both --result and --truth" in capsys.readouterr().err
