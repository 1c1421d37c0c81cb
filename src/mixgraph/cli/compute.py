"""What commands that compute have in common: device, threads, memory, and the song that belongs to a result."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mixgraph.errors import ConfigError, ResultError

if TYPE_CHECKING:
    from mixgraph.audio.song import Song
    from mixgraph.result.result import Result

DEVICES = ("auto", "cpu", "cuda", "mps")


def add_compute(parser: argparse.ArgumentParser) -> None:
    """Adds `--device` and `--threads`."""
    where = "where to compute (default auto: CUDA, else CPU)"
    parser.add_argument("--device", choices=DEVICES, default="auto", help=where)
    parser.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: one per core)")


def prepare(options: argparse.Namespace) -> None:
    """Sets up memory and threads; the first thing here that imports torch."""
    from mixgraph.cli.allocator import keep_memory

    if options.threads is not None and options.threads < 1:
        raise ConfigError(f"argument --threads: {options.threads}: expected 1 or more")
    keep_memory()
    import torch

    if options.threads is not None:
        torch.set_num_threads(options.threads)


def load_result_song(result: Result, folder: Path, given: Path | None, *, require_mix: bool) -> Song:
    """The song to send through a result: the one given, else the one it was found for.

    Raises `ResultError` if that is not recorded or no longer there, `SongError` if it cannot be used.
    """
    from mixgraph.audio.song import load_song

    if given is None:
        recorded = result.provenance.get("song_folder")
        if not recorded:
            raise ResultError(f"{folder}: was not made from a song folder; name a song folder after the result")
        given = Path(recorded)
        if not given.is_dir():
            raise ResultError(
                f"{given}: the song folder of {folder} is not there any more; name a song folder after the result"
            )
    audio = result.config.audio
    return load_song(
        given, sample_rate=audio.sample_rate, memory_budget_mb=audio.memory_budget_mb, require_mix=require_mix
    )
