"""Tables and figures of the paper, from tiny searches and fits that were really made."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest
from PIL import Image

from mixgraph.cli import main
from mixgraph.errors import ConfigError, ResultError
from mixgraph.paper.figures import FIGURES, figure
from mixgraph.paper.figures.importance import measure
from mixgraph.paper.figures.progress import read_progress
from mixgraph.paper.figures.statistics import chain_lengths, share_kept
from mixgraph.paper.studies import Study, consoles_of, load_studies, pruned_of
from mixgraph.paper.tables import Table, table_1, table_2, table_3
from tests.cli.tiny import write_settings, write_song

SEARCHES = {
    "search-0.05": ("search", "--chain", "ecgd"),
    "search-0.5": ("search", "--chain", "ecgd", "--tolerance", "0.5"),
    "console-g": ("console", "--chain", "g"),
    "console-full": ("console", "--chain", "ecnsgdr"),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Path:
    """A folder with two searches and two fits of one song."""
    folder = tmp_path_factory.mktemp("paper")
    song, settings = write_song(folder / "song"), write_settings(folder / "settings.toml")
    where = folder / "runs"
    where.mkdir()
    for name, (command, *flags) in SEARCHES.items():
        flags = [*flags, "--config", str(settings), "--quiet", "--threads", "1"]
        assert main([command, str(song), "-o", str(where / name), *flags]) == 0
    return where


@pytest.fixture(scope="module")
def studies(runs) -> list[Study]:
    return load_studies([runs])


def cells(table: Table, *key: str) -> dict[str, str]:
    """The only row that begins so, by column; of columns of one name, the first (ours)."""
    (row,) = (row for row in table.rows if row[: len(key)] == key)
    return dict(reversed(list(zip(table.columns, row, strict=True))))


def test_a_folder_of_results_gives_one_study_each(studies):
    assert sorted(study.folder.name for study in studies) == sorted(SEARCHES)
    assert {study.folder.name for study in pruned_of(studies)} == {"search-0.05", "search-0.5"}
    assert consoles_of(studies)["tiny"].folder.name == "console-full"


def test_table_1_has_each_console_and_the_plain_sum(studies):
    table = table_1(studies)
    assert [row[0] for row in table.rows] == ["plain sum", "g", "ecnsgdr"]
    fitted = consoles_of(studies, "g")["tiny"].result.metrics["loss"]
    row = cells(table, "g")
    assert row["L_a"] == f"{fitted['console']['published']:.3f}"
    assert row["L_a (target)"] == f"{fitted['console']['target']:.3f}"
    assert row["side"] == f"{fitted['console']['channels']['side']['published']:.3f}"
    assert row["paper: L_a"] == "0.689"
    assert cells(table, "plain sum")["L_a"] == f"{fitted['plain_sum']['published']:.3f}"


def test_tables_2_and_3_are_means_over_the_searches_of_one_criterion(studies, runs):
    twice = [*studies, *load_studies([runs])]
    for found in (studies, twice):
        row = cells(table_2(found), "probe", "0.5")
        (metrics,) = {id(s.result): s.result.metrics for s in studies if s.criterion == ("probe", 0.5)}.values()
        assert row["songs"] == str(len(found) // len(studies))
        assert row["ρ"] == f"{metrics['pruning_ratio']['total']:.2f}"
        assert row["ρ e"] == f"{metrics['pruning_ratio']['by_type']['equalizer']:.2f}"
        assert row["ρ n"] == "-", "the chain had no gate"
    kept = fmean(s.result.metrics["processors"]["kept"]["total"] for s in studies if s.criterion == ("probe", 0.5))
    row = cells(table_3(studies), "runs", "probe", "0.5")
    assert row["left"] == f"{kept:.1f}"
    assert [row[name] for name in ("ρ e", "ρ n")] == [
        cells(table_2(studies), "probe", "0.5")[n] for n in ("ρ e", "ρ n")
    ]


def test_published_values_stand_only_beside_what_they_are_of(studies):
    (study,) = (study for study in studies if study.criterion == ("probe", 0.5))
    found = [replace(study, dataset=name) for name in ("medleydb", "elsewhere")]
    for strategy, tolerance in (("hybrid", 0.01), ("hybrid", 0.1), ("probe", 0.01)):
        prune = study.result.config.prune.model_copy(update={"strategy": strategy, "tolerance": tolerance})
        result = replace(study.result, config=study.result.config.model_copy(update={"prune": prune}))
        table = table_3([replace(one, result=result) for one in found])
        published = "0.431" if (strategy, tolerance) == ("hybrid", 0.01) else "-"
        assert cells(table, "medleydb", strategy)["paper: L_a"] == published
        assert cells(table, "elsewhere", strategy)["paper: L_a"] == "-"


def test_results_of_no_search_are_left_out(runs, tmp_path):
    for name, made in ("applied", "applied"), ("truth", "synthetic"):
        file = Path(shutil.copytree(runs / "search-0.5", tmp_path / name)) / "provenance.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | {made: {}}))
    with pytest.raises(ResultError, match="no results there"):
        load_studies([tmp_path])
    shutil.copytree(runs / "search-0.5", tmp_path / "searched")
    assert [study.folder.name for study in load_studies([tmp_path])] == ["searched"]


def test_progress_ends_at_the_result(studies):
    for study in pruned_of(studies):
        metrics, config = study.result.metrics, study.result.config
        progress = read_progress(study.history(), metrics["processors"]["initial"])
        for kind, ratio in metrics["pruning_ratio"]["by_type"].items():
            assert progress.ratios[kind][1][-1] == pytest.approx(ratio)
        assert progress.ratios["total"][1][-1] == pytest.approx(metrics["pruning_ratio"]["total"])
        steps = config.fit.console_steps + config.prune.rounds * config.prune.fine_tune_steps
        if study.result.graph.processors:
            assert progress.ratios["total"][0][-1] == steps
            last = {kind: values[-1] for kind, (_, values) in progress.weights.items()}
            kept = study.result.bank.mean_dry_wet()
            assert {kind: last[kind] for kind in kept} == pytest.approx(kept)


def test_importance_is_the_rise_of_the_loss_without_a_processor(studies):
    study = consoles_of(studies)["tiny"]
    found = measure(study)
    name = max(found.rises, key=found.rises.__getitem__)
    assert found.rises.keys() == {node.id for node in study.result.graph.processors}
    with study.load_song() as song:
        whole = study.result.evaluate(song).target.total
        pruned = type(study.result)(
            study.result.graph.without([name]), study.result.bank, study.result.config, {}, study.result.provenance
        )
        assert found.rises[name] == pytest.approx(pruned.evaluate(song).target.total - whole, abs=1e-5)


def test_statistics_count_every_processor_once(studies):
    for study in pruned_of(studies):
        processors = study.result.metrics["processors"]
        for kind, initial in processors["initial"]["by_type"].items():
            pairs = [share_kept(study, kind, place) for place in ("track", "subgroup")]
            assert sum(before for _, before in pairs) == initial
            assert sum(after for after, _ in pairs) == processors["kept"]["by_type"].get(kind, 0)
        lengths = [*chain_lengths(study, "track"), *chain_lengths(study, "subgroup")]
        assert sum(lengths) == processors["kept"]["total"]
        assert len(lengths) == 5, "three tracks, a subgroup, and the voice's own"


def test_the_command_prints_tables_and_writes_figures(runs, tmp_path, capsys):
    assert main(["paper", "tables", "--corpus", str(runs), "--json"]) == 0
    tables = json.loads(capsys.readouterr().out)
    assert [len(table["rows"]) for table in tables] == [3, 3, 2]
    assert main(["paper", "tables", "--corpus", str(runs), "--only", "1", "--only", "3", "--json"]) == 0
    assert [table["title"][:7] for table in json.loads(capsys.readouterr().out)] == ["Table 1", "Table 3"]
    assert main(["paper", "figures", "--corpus", str(runs), "-o", str(tmp_path / "figures")]) == 0
    written = sorted((tmp_path / "figures").iterdir())
    assert [file.name for file in written] == [f"figure-{n}-{name}.png" for n, name in FIGURES.items()]
    for file in written:
        with Image.open(file) as image:
            colors = image.convert("RGB").getcolors(1 << 24) or ()
            assert len(colors) > 20, f"{file.name} shows nothing"


def test_each_dataset_can_have_tables_and_figures_of_its_own(runs, tmp_path, capsys):
    one, other = tmp_path / "one", tmp_path / "other"
    for folder, kept in (one, "search-0.05"), (other, "search-0.5"):
        shutil.copytree(runs / kept, folder / kept)
    sources = ["--corpus", str(one), str(other), "--by-dataset"]
    assert main(["paper", "tables", *sources, "--only", "2", "--json"]) == 0
    tables = json.loads(capsys.readouterr().out)
    assert [table["title"].rpartition(" ")[2] for table in tables] == ["(one)", "(other)"]
    assert [[row[1] for row in table["rows"] if row[0] == "probe"] for table in tables] == [["0.05"], ["0.5"]]
    assert main(["paper", "figures", *sources, "--only", "6", "-o", str(tmp_path / "figures")]) == 0
    drawn = [file.read_bytes() for file in sorted((tmp_path / "figures").iterdir())]
    assert capsys.readouterr().out.count("figure-6-statistics-o") == len(drawn) == 2
    assert drawn[0] != drawn[1]


def test_the_same_results_give_the_same_bytes(runs, tmp_path, capsys):
    for name in ("a", "b"):
        flags = ["--only", "6", "--format", "svg", "-o", str(tmp_path / name)]
        assert main(["paper", "figures", "--corpus", str(runs), *flags, "--json"]) == 0
    first, second = (tmp_path / name / "figure-6-statistics.svg" for name in ("a", "b"))
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [[str(first)], [str(second)]]
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("number", [4, 7])
def test_a_figure_without_its_results_says_what_it_needs(studies, number):
    with pytest.raises(ConfigError, match="full console"):
        figure(number)(pruned_of(studies))


def test_a_folder_without_results_is_refused(tmp_path):
    with pytest.raises(ResultError, match="no results there"):
        load_studies([tmp_path])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["tables", "--corpus", "RUNS", "--only", "4"], "there is no table 4"),
        (["figures", "--corpus", "RUNS"], "name a folder with -o"),
        (["figures", "--corpus", "RUNS", "-o", "x", "--dpi", "3"], "expected 20 to 2000"),
    ],
)
def test_the_command_refuses_in_one_line(runs, capsys, arguments, says):
    assert main(["paper", *(str(runs) if word == "RUNS" else word for word in arguments)]) == 2
    error = capsys.readouterr().err
    assert says in error and error.count("\n") == 1
