"""The tables and figures of the paper (arXiv 2406.01049), from results of yours, with the published values beside them.

Each corpus is one that `mixgraph corpus build` made, or a folder that holds result folders. Table 1 and Figure 4 need
fits of consoles (`mixgraph console`, or a search with --rounds 0), Table 2 searches with several strategies and
tolerances, Figure 5 one song searched at several tolerances."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from mixgraph.cli.terminal import Terminal, print_json
from mixgraph.errors import ConfigError, OutputError
from mixgraph.files import output_error

if TYPE_CHECKING:
    from mixgraph.paper.studies import Study

Value = TypeVar("Value")
WHAT = ("tables", "figures")
FORMATS = ("png", "svg", "pdf")


def configure(parser: argparse.ArgumentParser) -> None:
    """What to make, from what, and where to."""
    parser.add_argument("what", choices=WHAT, help="tables: printed as Markdown; figures: written as files")
    sources = "corpora, or folders that hold result folders"
    parser.add_argument(
        "--corpus", type=Path, action="extend", nargs="+", required=True, metavar="CORPUS", help=sources
    )
    which = "numbers of the tables (1 to 3) or figures (3 to 7) to make; default: all that can be made"
    parser.add_argument("--only", type=int, action="extend", nargs="+", metavar="N", help=which)
    each = "each of them once for every dataset (a folder of results counts as one), instead of over all songs"
    parser.add_argument("--by-dataset", action="store_true", help=each)
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="where figures go")
    parser.add_argument("--format", choices=FORMATS, default="png", help="format of figures (default png)")
    parser.add_argument("--dpi", type=int, metavar="N", default=200, help="resolution of PNG (default 200)")
    parser.add_argument("--json", action="store_true", help="print tables, or the names of the figures' files, as JSON")


def run(options: argparse.Namespace) -> None:
    """Prints tables, or writes figures and says where."""
    terminal = Terminal(logging.WARNING if options.what == "tables" else logging.INFO)
    if options.what == "figures" and options.output is None:
        raise ConfigError("paper figures: nowhere to write; name a folder with -o")
    if not 20 <= options.dpi <= 2_000:
        raise ConfigError(f"argument --dpi: {options.dpi}: expected 20 to 2000")
    if options.what == "tables":
        _print_tables(terminal, options)
    else:
        _write_figures(terminal, options)


def _print_tables(terminal: Terminal, options: argparse.Namespace) -> None:
    from mixgraph.paper.tables import table_1, table_2, table_3

    makers = _chosen(options, {1: table_1, 2: table_2, 3: table_3})
    tables = []
    for dataset, studies in _groups(options).items():
        made = [make(studies) for make in makers.values()]
        tables += [replace(table, title=f"{table.title} ({dataset})") if dataset else table for table in made]
    if options.json:
        print_json([{"title": table.title, "columns": table.columns, "rows": table.rows} for table in tables], indent=1)
    else:
        terminal.out.print("\n\n".join(table.to_markdown() for table in tables), markup=False, soft_wrap=True)


def _write_figures(terminal: Terminal, options: argparse.Namespace) -> None:
    try:
        import matplotlib  # noqa: F401 - the modules below need it
    except ImportError:
        raise ConfigError("figures need the package matplotlib; pip install 'mixgraph[figures]'") from None
    from mixgraph.corpus.export.packing import plain_name
    from mixgraph.draw.save import save_figure
    from mixgraph.paper.figures import FIGURES, figure

    numbers, groups = _chosen(options, FIGURES), _groups(options)
    try:
        options.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(options.output, error) from error
    made: list[str] = []
    for (number, name), (dataset, studies) in product(numbers.items(), groups.items()):
        label = f"figure {number} of {dataset}" if dataset else f"figure {number}"
        try:
            drawn = figure(number)(studies)
        except ConfigError as error:
            if options.only and not dataset:
                raise ConfigError(f"{label}: {error}") from None
            terminal.err.print(f"{label} left out: {error}", markup=False, soft_wrap=True)
            continue
        stem = "-".join(["figure", str(number), name, *([plain_name(dataset)] if dataset else [])])
        file = options.output / f"{stem}.{options.format}"
        save_figure(drawn, file, options.dpi)
        made.append(str(file))
        if not options.json:
            terminal.out.print(str(file), markup=False, soft_wrap=True)
    if options.json:
        print_json(made)
    if not made:
        raise OutputError(f"{options.output}: none of the figures can be made from these results; see above")


def _groups(options: argparse.Namespace) -> dict[str, list[Study]]:
    """The results by dataset, or all under no name."""
    from mixgraph.paper.studies import load_studies

    groups: dict[str, list[Study]] = {}
    for study in load_studies(options.corpus):
        groups.setdefault(study.dataset if options.by_dataset else "", []).append(study)
    return groups


def _chosen(options: argparse.Namespace, known: Mapping[int, Value]) -> dict[int, Value]:
    for number in options.only or ():
        if number not in known:
            raise ConfigError(
                f"argument --only: there is no {options.what[:-1]} {number}; known: {', '.join(map(str, known))}"
            )
    return {number: known[number] for number in options.only or known}
