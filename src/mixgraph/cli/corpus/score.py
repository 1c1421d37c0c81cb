"""Compares found graphs with the true ones of synthetic songs: precision, recall and F1 of processors, errors of their
settings, edit distance. A processor counts where it stands in the true graph, and more leniently anywhere on the way
of a track to the output."""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path
from typing import TYPE_CHECKING

from mixgraph.cli.terminal import Terminal, left, plain_table, print_json, right
from mixgraph.errors import ConfigError, ResultError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

    from mixgraph.corpus.scoring.score import Counts, Score

ALL = "all"


def configure(parser: argparse.ArgumentParser) -> None:
    """A corpus, or one result and the truth."""
    corpus = "corpus folder; songs without a known truth are left out"
    parser.add_argument("corpus", type=Path, nargs="?", metavar="CORPUS", help=corpus)
    parser.add_argument("--result", type=Path, metavar="RESULT", help="one result folder, instead of a corpus")
    parser.add_argument("--truth", type=Path, metavar="TRUTH", help="the true result, such as the song's folder truth")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> None:
    """Prints the pooled score by type, the errors, and a line for each song."""
    from mixgraph.corpus.scoring.score import pool

    scores = _scores(options)
    pooled = pool(list(scores.values()))
    if options.json:
        songs = {name: one.to_json() for name, one in scores.items()}
        print_json({"songs": songs, "pooled": pooled.to_json()}, indent=1)
        return
    out = Terminal().out
    at_place = _types("at its place", pooled.nodes, pooled.total, pooled.places)
    on_path = _types("on a track's way", pooled.on_path, pooled.total_on_path, {})
    out.print("", at_place, "", on_path, "", _errors(pooled), sep="\n")
    if len(scores) > 1:
        out.print("", _songs(scores), sep="\n")


def _scores(options: argparse.Namespace) -> dict[str, Score]:
    from mixgraph.corpus.folder import Corpus
    from mixgraph.corpus.places import truth_folder
    from mixgraph.corpus.scoring.score import score
    from mixgraph.result.result import Result

    given = [name for name in ("corpus", "result", "truth") if getattr(options, name) is not None]
    if given == ["result", "truth"]:
        return {str(options.result): score(Result.load(options.result), Result.load(options.truth))}
    if given != ["corpus"]:
        raise ConfigError("expected a corpus, or both --result and --truth; see `mixgraph corpus score --help`")
    corpus = Corpus.open(options.corpus)
    true = ((song.id, found, truth_folder(corpus, song)) for song, found in corpus.results())
    known = {song: score(found, Result.load(truth)) for song, found, truth in true if truth}
    if not known:
        cure = "build one from songs of `mixgraph corpus synthesise`"
        raise ResultError(f"{options.corpus}: no finished song has a known truth; {cure}")
    return known


def _types(title: str, counts: Mapping[str, Counts], total: Counts, places: Mapping[str, int]) -> Table:
    """Counts and shares by type; with `places`, also the share that is true of all that the consoles have."""
    names = ("true", "found", "both", "precision", "recall", "F1", *(["of places"] if places else []))
    table = plain_table(left(title), *map(right, names))
    sizes = {**places, ALL: sum(places.values())}
    for kind, count in {**counts, ALL: total}.items():
        numbers = [str(number) for number in (count.true, count.found, count.both)]
        share = [_percent(count.true / sizes[kind] if sizes[kind] else None)] if places else []
        style = "bold" if kind == ALL else ""
        table.add_row(kind.replace("_", " "), *numbers, *_shares(count), *share, style=style)
    return table


def _errors(pooled: Score) -> Table:
    table = plain_table(left("processor"), left("error of"), right("nodes"), right("median"), right("90 %"))
    for kind, measured in pooled.errors.items():
        title = kind.replace("_", " ")
        for name, values in measured.items():
            ninth = statistics.quantiles(values, n=10, method="inclusive")[-1] if len(values) > 1 else values[0]
            quantity = name.replace("_", " ")
            table.add_row(title, quantity, str(len(values)), f"{statistics.median(values):.3g}", f"{ninth:.3g}")
            title = ""
    return table


def _songs(scores: dict[str, Score]) -> Table:
    table = plain_table(
        left("song"), *(right(name) for name in ("true", "found", "precision", "recall", "F1", "edit distance"))
    )
    for song, one in scores.items():
        total = one.total
        table.add_row(song, str(total.true), str(total.found), *_shares(total), str(one.edit_distance))
    return table


def _shares(counts: Counts) -> list[str]:
    return [_percent(share) for share in (counts.precision, counts.recall, counts.f1)]


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"
