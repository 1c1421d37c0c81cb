"""What commands that compute have in common: device, threads, memory, and the song that belongs to a result."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mixgraph.errors import ConfigError
from mixgraph.memory import keep_memory
from mixgraph.threads import wait_briefly

if TYPE_CHECKING:
    import torch

    from mixgraph.audio.song import Song
    from mixgraph.result.result import Result


def add_compute(parser: argparse.ArgumentParser) -> None:
    """Adds `--device` and `--threads`."""
    where = "where to compute (default auto: CUDA, else CPU)"
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help=where)
    parser.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: one per core)")


def add_inputs(parser: argparse.ArgumentParser) -> None:
    """Adds a result, a song, and how to compute with them."""
    parser.add_argument("result", type=Path, metavar="RESULT", help="result folder")
    parser.add_argument("song", type=Path, nargs="?", metavar="SONG", help="song folder (default: the result's own)")
    add_compute(parser)


def prepare(options: argparse.Namespace, *, keep: bool = True) -> None:
    """Sets up threads and, with `keep`, an allocator that keeps memory; the first thing here that imports torch."""
    if options.threads is not None and options.threads < 1:
        raise ConfigError(f"argument --threads: {options.threads}: expected 1 or more")
    if keep:
        keep_memory()
    wait_briefly()
    import torch

    if options.threads is not None:
        torch.set_num_threads(options.threads)


def load_result(options: argparse.Namespace) -> tuple[Result, torch.device]:
    """The result, and where to compute with it."""
    prepare(options)
    from mixgraph.result.result import Result
    from mixgraph.run.api import choose_device

    device = choose_device(options.device)
    return Result.load(options.result), device


def load_song_of(result: Result, options: argparse.Namespace, *, require_mix: bool) -> Song:
    """The song given, or the result's own; raises `ResultError` if that is unknown or gone, `SongError` if unusable."""
    if not options.song:
        from mixgraph.result.song import load_own_song

        return load_own_song(result, options.result, require_mix=require_mix)
    from mixgraph.audio.song import load_song

    rate, budget = result.config.audio.sample_rate, result.config.audio.memory_budget_mb
    return load_song(options.song, sample_rate=rate, memory_budget_mb=budget, require_mix=require_mix)
