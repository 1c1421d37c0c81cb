"""Writes a result as another program wants it: a session to open, audio, impulse responses, code or a graph.

Every export is a folder, in which fidelity.md says what became of each processor."""

from __future__ import annotations

import argparse
import logging
from contextlib import nullcontext
from pathlib import Path

from rich.markup import escape
from rich.table import Column

from mixgraph.cli.compute import add_inputs, load_result, load_song_of
from mixgraph.cli.terminal import Terminal, plain_table, print_json


def configure(parser: argparse.ArgumentParser) -> None:
    """The result, the song, the format, and where to."""
    parser.add_argument("--to", metavar="FORMAT", required=True, help="one of the formats below")
    parser.add_argument("-o", "--output", type=Path, metavar="OUT", required=True, help="folder to write")
    parser.add_argument("--overwrite", action="store_true", help="replace the export that is at OUT")
    compare = "render it with the program that it is for, and say how far that is from our render"
    parser.add_argument("--compare", action="store_true", help=compare)
    parser.add_argument("--json", action="store_true", help="print what became of each processor as JSON")
    add_inputs(parser)
    # To know the formats is to import them all, and torch: only where somebody reads them.
    if {"-h", "--help"} & set(parser.get_default("argv") or ()):
        from mixgraph.export.base import EXPORTS, about

        width = max(map(len, EXPORTS))
        lines = [f"  {name:{width}}  {about(kind)}" for name, kind in EXPORTS.items()]
        parser.epilog = "\n".join(["formats:", *lines])


def run(options: argparse.Namespace) -> None:
    """Writes it, and prints the table."""
    terminal = Terminal(logging.WARNING)
    from mixgraph.export.base import EXPORTS, Source
    from mixgraph.export.compare import check_comparable, compare_export
    from mixgraph.export.fidelity import summary
    from mixgraph.export.write import check_output, export_result

    kind = EXPORTS[options.to]
    if options.compare:
        check_comparable(options.to)
    check_output(options.output, overwrite=options.overwrite)
    result, device = load_result(options)
    needs_song = kind.needs_song or options.compare
    with load_song_of(result, options, require_mix=False) if needs_song else nullcontext() as song:
        fates = export_result(
            result, options.to, options.output, song=song, overwrite=options.overwrite, device=str(device)
        )
        compared = None
        if options.compare:
            compared = compare_export(Source(result, song, str(device)), options.to, options.output)
    if options.json:
        print_json({"processors": list(map(vars, fates)), "compared": vars(compared) if compared else None}, indent=1)
    else:
        table = plain_table(*(Column(name, overflow="fold") for name in ("processor", "kept", "how")))
        for fate in fates:
            table.add_row(*map(escape, (fate.id, fate.label, fate.how)))
        terminal.out.print(table)
    terminal.err.print(f"{options.output}: {summary(fates)}", soft_wrap=True, markup=False)
    if compared:
        said = f"rendered there: {compared.difference_db:.1f} dB from our render, L_a {compared.loss:.4f}"
        terminal.err.print(said, soft_wrap=True, markup=False)
