"""Draws the graph of a result as signals flow, left to right: SVG, PNG or PDF, in print quality.

Each processor is a square with its letter in the console's chain; the full colour fills it as far as its dry/wet weight
goes. With --node it draws one processor instead: an equaliser's or compressor's curve, decay times of a reverb, taps of
a delay, the stereo image."""

from __future__ import annotations

import argparse
from pathlib import Path

from mixgraph.cli.compute import load_song_of
from mixgraph.cli.terminal import Terminal
from mixgraph.errors import ConfigError


def configure(parser: argparse.ArgumentParser) -> None:
    """The result, the picture, and what it shows."""
    parser.add_argument("result", type=Path, metavar="RESULT", help="result folder")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="picture: .svg, .png or .pdf")
    parser.add_argument("--pruned", action="store_true", help="show pruned processors too, in grey")
    parser.add_argument("--node", metavar="ID", help="draw this processor, such as 'track:bass/equalizer'")
    song = "song folder; with --node, what the processor hears is drawn behind its curve"
    parser.add_argument("song", type=Path, nargs="?", metavar="SONG", help=song)


def run(options: argparse.Namespace) -> None:
    """Writes the picture and says where."""
    from mixgraph.draw.save import format_of, save_figure

    format_of(options.output)
    if options.node and options.pruned:
        raise ConfigError("--pruned shows the whole graph, --node one processor; give one of them")
    if options.song and not options.node:
        raise ConfigError(f"{options.song}: a song is only drawn behind one processor; name it with --node")
    try:
        from mixgraph.draw.graph import graph_figure
        from mixgraph.draw.processor import processor_figure
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        raise ConfigError("pictures need the package matplotlib; pip install 'mixgraph[figures]'") from None
    from mixgraph.result.result import Result

    result = Result.load(options.result)
    if not options.node:
        figure = graph_figure(result, show_pruned=options.pruned)
    elif not options.song:
        figure = processor_figure(result, options.node)
    else:
        with load_song_of(result, options, require_mix=True) as song:
            figure = processor_figure(result, options.node, song)
    save_figure(figure, options.output)
    Terminal().out.print(str(options.output), markup=False, soft_wrap=True)
