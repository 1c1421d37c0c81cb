"""What commands that compute have in common: device, threads, memory, and the song that belongs to a result."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mixgraph.errors import ConfigError, ResultError
from mixgraph.memory import keep_memory

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


def prepare(options: argparse.Namespace) -> None:
    """Sets up memory and threads; the first thing here that imports torch."""
    if options.threads is not None and options.threads < 1:
        raise ConfigError(f"argument --threads: {options.threads}: expected 1 or more")
    keep_memory()
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
    from mixgraph.audio.song import load_layout, load_song
    from mixgraph.audio.song_file import Layout

    folder, cure = options.song or result.provenance.get("song_folder"), "name a song folder after the result"
    if not folder:
        raise ResultError(f"{options.result}: was not made from a song folder; {cure}")
    if not options.song and not Path(folder).is_dir():
        raise ResultError(f"{folder}: the song folder of {options.result} is not there any more; {cure}")
    how = {"sample_rate": result.config.audio.sample_rate, "memory_budget_mb": result.config.audio.memory_budget_mb}
    if not options.song and (files := result.provenance.get("layout")):
        layout = Layout.from_json(files)
        has_mix = layout.mix is not None and (require_mix or layout.mix.is_file())
        return load_layout(layout if has_mix else replace(layout, mix=None), **how)
    return load_song(folder, **how, require_mix=require_mix)
