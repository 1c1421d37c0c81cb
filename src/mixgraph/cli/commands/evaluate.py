"""`mixgraph evaluate`: the loss of a result against a song's mix, beside the one that was stored."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from mixgraph.cli.codes import OK
from mixgraph.cli.compute import add_compute, load_result_song, prepare
from mixgraph.cli.summary import comparison_table
from mixgraph.cli.terminal import Terminal

DESCRIPTION = """\
Renders a song through a result and measures the loss against the song's mix, over all evaluation segments, in both
conventions of spectral convergence: divided by the target's norm (ours), and as in the published code."""


def configure(parser: argparse.ArgumentParser) -> None:
    """The result, the song, and how to compute."""
    parser.add_argument("result", type=Path, metavar="RESULT", help="result folder")
    parser.add_argument("song", type=Path, nargs="?", metavar="SONG", help="song folder (default: the result's own)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_compute(parser)


def run(options: argparse.Namespace) -> int:
    """Evaluates and prints one table."""
    terminal = Terminal(as_json=options.json, level=logging.WARNING)
    prepare(options)
    from mixgraph.result.result import Result
    from mixgraph.run.api import choose_device

    device = choose_device(options.device)
    result = Result.load(options.result)
    with load_result_song(result, options.result, options.song, require_mix=True) as song:
        now = result.evaluate(song, device=device).to_json()
    stored = result.metrics["loss"]["pruned"]
    if options.json:
        terminal.json_document({"loss": now, "stored": stored})
    else:
        terminal.out.print(comparison_table(now, stored))
    return OK
