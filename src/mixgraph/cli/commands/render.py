"""`mixgraph render`: a whole song through a result."""

from __future__ import annotations

import argparse
import logging
import shutil
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from mixgraph.cli.codes import OK
from mixgraph.cli.compute import add_compute, load_result_song, prepare
from mixgraph.cli.terminal import Terminal
from mixgraph.errors import ConfigError, OutputError, ResultError

if TYPE_CHECKING:
    import numpy as np

    from mixgraph.result.result import Result

DESCRIPTION = "Renders a whole song through a result, as a mix, as stems that add up to it, or as what leaves one node."
SAMPLE_RATES = (1_000, 768_000)


def configure(parser: argparse.ArgumentParser) -> None:
    """The result, the song, what to render and where to."""
    parser.add_argument("result", type=Path, metavar="RESULT", help="result folder")
    parser.add_argument("song", type=Path, nargs="?", metavar="SONG", help="song folder (default: the result's own)")
    where = "audio file to write; with --stems a folder"
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", required=True, help=where)
    parser.add_argument("--overwrite", action="store_true", help="replace what is at FILE")
    parser.add_argument("--sample-rate", type=int, metavar="HZ", help="rate of the output (default: the result's)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--stems", action="store_true", help="one FLAC file for each signal that enters the output")
    what.add_argument("--solo", metavar="NODE", help="what leaves this node, by its id, such as 'track:bass/equalizer'")
    add_compute(parser)


def run(options: argparse.Namespace) -> int:
    """Renders and writes."""
    terminal = Terminal(level=logging.WARNING)
    _check_output(options)
    prepare(options)
    from mixgraph.audio.files import write_audio
    from mixgraph.result.result import Result
    from mixgraph.run.api import choose_device

    device = choose_device(options.device)
    result = Result.load(options.result)
    node = _node(result, options.solo) if options.solo else result.graph.output.id
    with load_result_song(result, options.result, options.song, require_mix=False) as song:
        if options.stems:
            signals = result.stems(song, device=device)
        else:
            signals = result.signals(song, [node], device=device)
    rate = result.config.audio.sample_rate
    wanted = options.sample_rate or rate
    resampled = {name: _resample(signal, rate, wanted) for name, signal in signals.items()}
    if options.stems:
        _write_stems(options.output, resampled, wanted)
    else:
        write_audio(options.output, resampled[node], wanted)
    what = f"{len(resampled)} stems, " if options.stems else ""
    samples = next(iter(resampled.values())).shape[1]
    said = f"{options.output}: {what}{samples / wanted:.2f} s at {wanted} Hz"
    terminal.err.print(said, soft_wrap=True, markup=False)
    return OK


def _check_output(options: argparse.Namespace) -> None:
    from mixgraph.audio.files import WRITABLE

    output: Path = options.output
    low, high = SAMPLE_RATES
    if options.sample_rate is not None and not low <= options.sample_rate <= high:
        raise ConfigError(f"argument --sample-rate: {options.sample_rate}: expected {low} to {high} Hz")
    if not options.stems and output.suffix.lower() not in WRITABLE:
        raise OutputError(f"{output}: cannot write '{output.suffix}'; end its name in one of {', '.join(WRITABLE)}")
    if output.exists() and not options.overwrite:
        raise OutputError(f"{output}: exists already; choose another name with -o, or replace it with --overwrite")
    if output.exists() and output.is_dir() != options.stems:
        kind = "a folder" if output.is_dir() else "a file"
        raise OutputError(f"{output}: is {kind}; choose another name with -o")


def _node(result: Result, wanted: str) -> str:
    ids = [node.id for node in result.graph.order]
    if wanted in ids:
        return wanted
    close = get_close_matches(wanted, ids, n=3) or get_close_matches(wanted, ids, n=3, cutoff=0.3)
    hint = f"did you mean {' or '.join(repr(name) for name in close)}?" if close else "`mixgraph show` lists the nodes"
    raise ResultError(f"--solo '{wanted}': the graph has no such node; {hint}")


def _resample(signal: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    if rate == wanted:
        return signal
    import soxr

    return soxr.resample(signal.T, rate, wanted, quality="HQ").T


def _write_stems(folder: Path, stems: dict[str, np.ndarray], sample_rate: int) -> None:
    from mixgraph.audio.files import write_audio

    partial = folder.with_name(f"{folder.name}.partial")
    try:
        partial.mkdir(parents=True, exist_ok=True)
        for name, samples in stems.items():
            write_audio(partial / f"{name.replace('/', '_')}.flac", samples, sample_rate)
        if folder.exists():
            shutil.rmtree(folder)
        partial.rename(folder)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror}); choose another folder with -o") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
