"""Renders a song through a result and measures the loss against the song's mix, over all evaluation segments, in both
conventions of spectral convergence: divided by the target's norm (ours), and as in the published code."""

from __future__ import annotations

import argparse
import logging
from functools import partial

from mixgraph.cli.compute import add_inputs, load_result, load_song_of
from mixgraph.cli.terminal import CONVENTIONS, Terminal, left, plain_table, print_json, right

CHANNELS = {"left_right": "left, right", "mid": "mid", "side": "side"}


def configure(parser: argparse.ArgumentParser) -> None:
    """The result, the song, and how to compute."""
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_inputs(parser)


def run(options: argparse.Namespace) -> None:
    """Prints the loss in both conventions and by channel, as measured now and as the result says."""
    terminal = Terminal(logging.WARNING)
    result, device = load_result(options)
    with load_song_of(result, options, require_mix=True) as song:
        now = result.evaluate(song, device=device).to_json()
    stored = result.metrics["loss"].get("pruned")
    if options.json:
        print_json({"loss": now, "stored": stored}, indent=1)
        return
    old = partial(right, style="dim")
    table = plain_table(left("loss"), right("ours"), old("stored"), right("published"), old("stored"))
    rows = {"total": (now, stored)}
    said = (stored or {}).get("channels", {})
    rows |= {title: (now["channels"][name], said.get(name)) for name, title in CHANNELS.items()}
    for title, losses in rows.items():
        cells = [f"{loss[convention]:.4f}" if loss else "" for convention in CONVENTIONS for loss in losses]
        table.add_row(title, *cells, style="bold" if title == "total" else "")
    terminal.out.print(table)
