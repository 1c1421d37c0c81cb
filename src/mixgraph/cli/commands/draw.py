"""Draws the graph of a result as signals flow, left to right: SVG, PNG or PDF, in print quality.

Each processor is a square with its letter in the console's chain; the full colour fills it as far as its dry/wet weight
goes."""

from __future__ import annotations

import argparse
from pathlib import Path

from mixgraph.cli.terminal import Terminal
from mixgraph.errors import ConfigError


def configure(parser: argparse.ArgumentParser) -> None:
    """The result, the picture, and what it shows."""
    parser.add_argument("result", type=Path, metavar="RESULT", help="result folder")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="picture: .svg, .png or .pdf")
    parser.add_argument("--pruned", action="store_true", help="show pruned processors too, in grey")


def run(options: argparse.Namespace) -> None:
    """Writes the picture and says where."""
    from mixgraph.draw.save import format_of, save_figure

    format_of(options.output)
    try:
        from mixgraph.draw.graph import graph_figure
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        raise ConfigError("pictures need the package matplotlib; pip install 'mixgraph[figures]'") from None
    from mixgraph.result.result import Result

    save_figure(graph_figure(Result.load(options.result), show_pruned=options.pruned), options.output)
    Terminal().out.print(str(options.output), markup=False, soft_wrap=True)
