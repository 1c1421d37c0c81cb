"""Renders a whole song through a result, as a mix, as stems that add up to it, or as what leaves one node."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soxr

from mixgraph.audio.files import WRITABLE, write_audio
from mixgraph.audio.song_file import suggestion
from mixgraph.cli.compute import add_inputs, load_result, load_song_of
from mixgraph.cli.terminal import Terminal
from mixgraph.datasets.names import numbered
from mixgraph.errors import ConfigError, OutputError, ResultError
from mixgraph.files import new_folder

SAMPLE_RATES = (1_000, 768_000)


def configure(parser: argparse.ArgumentParser) -> None:
    """The result, the song, what to render and where to."""
    where = "audio file to write; with --stems a folder"
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", required=True, help=where)
    parser.add_argument("--overwrite", action="store_true", help="replace what is at FILE")
    parser.add_argument("--sample-rate", type=int, metavar="HZ", help="rate of the output (default: the result's)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--stems", action="store_true", help="one FLAC file for each signal that enters the output")
    what.add_argument("--solo", metavar="NODE", help="what leaves this node, by its id, such as 'track:bass/equalizer'")
    add_inputs(parser)


def run(options: argparse.Namespace) -> None:
    """Renders and writes."""
    terminal = Terminal(logging.WARNING)
    _check_output(options)
    result, device = load_result(options)
    ids = [node.id for node in result.graph.order]
    node = options.solo or result.graph.output.id
    if node not in ids:
        raise ResultError(f"--solo '{node}': the graph has no such node; {suggestion(node, ids, 'nodes')}")
    with load_song_of(result, options, require_mix=False) as song:
        signals = result.stems(song, device=device) if options.stems else result.signals(song, [node], device=device)
    rate, wanted = song.sample_rate, options.sample_rate or song.sample_rate
    if rate != wanted:
        signals = {name: soxr.resample(signal.T, rate, wanted, quality="HQ").T for name, signal in signals.items()}
    if options.stems:
        _write_stems(options.output, signals, wanted)
    else:
        write_audio(options.output, signals[node], wanted)
    what = f"{len(signals)} stems, " if options.stems else ""
    seconds = next(iter(signals.values())).shape[1] / wanted
    terminal.err.print(f"{options.output}: {what}{seconds:.2f} s at {wanted} Hz", soft_wrap=True, markup=False)


def _check_output(options: argparse.Namespace) -> None:
    output, (low, high) = options.output, SAMPLE_RATES
    if options.sample_rate is not None and not low <= options.sample_rate <= high:
        raise ConfigError(f"argument --sample-rate: {options.sample_rate}: expected {low} to {high} Hz")
    if not options.stems and output.suffix.lower() not in WRITABLE:
        raise OutputError(f"{output}: cannot write '{output.suffix}'; end its name in one of {', '.join(WRITABLE)}")
    if output.exists() and not options.overwrite:
        raise OutputError(f"{output}: exists already; choose another name with -o, or replace it with --overwrite")
    if output.exists() and output.is_dir() != options.stems:
        raise OutputError(f"{output}: is a {'folder' if output.is_dir() else 'file'}; choose another name with -o")


def _write_stems(folder: Path, stems: Mapping[str, np.ndarray], sample_rate: int) -> None:
    names = numbered(name.replace("/", "_") for name in stems)
    files = {f"{name}.flac": samples for name, samples in zip(names, stems.values(), strict=True)}
    # `--overwrite` with a slip of the keyboard must not cost anybody a music folder.
    others = sorted(path.name for path in folder.iterdir() if path.name not in files) if folder.is_dir() else []
    if others:
        what = f"holds {others[0]}, which is no stem of this result"
        raise OutputError(f"{folder}: {what}, so --overwrite leaves it alone; choose another folder")
    with new_folder(folder) as partial:
        for file, samples in files.items():
            write_audio(partial / file, samples, sample_rate)
