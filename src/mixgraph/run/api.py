"""`search`: one song in, one result out."""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from mixgraph.audio.song import Song, load_song
from mixgraph.config import SearchConfig, make_config
from mixgraph.errors import ConfigError
from mixgraph.fit.problem import Problem
from mixgraph.processors.bank import chain_types
from mixgraph.prune.strategies.base import STRATEGIES
from mixgraph.result.metrics import count_processors, peak_memory_mb, pruning_ratio
from mixgraph.result.result import MIX, Result, write_mix
from mixgraph.run.events import Progress, Watcher
from mixgraph.run.search import CHECKPOINT_SECONDS, SearchRun, State
from mixgraph.run.workspace import Workspace, check_output, partial_folder

DEVICES = ("auto", "cpu", "cuda", "mps")
VERSIONS_OF = ("mixgraph", "torch", "numpy", "scipy", "soundfile", "soxr")


def _watch_nothing(progress: Progress) -> None:
    """The watcher of those who do not want to know."""


def search(
    song: Song | str | Path,
    config: SearchConfig | None = None,
    *,
    output: str | Path | None = None,
    device: str = "auto",
    resume: bool = False,
    overwrite: bool = False,
    watch: Watcher = _watch_nothing,
    should_stop: Callable[[], bool] = lambda: False,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> Result:
    """Finds the mixing graph of a song (Lee et al., DAFx 2024, arXiv 2406.01049).

    `song` is a `Song` or a song folder, `config` defaults to the laptop preset. With `output` the result folder is
    written there, and a run that is broken off (`should_stop` says so, or it is killed) can be resumed; a checkpoint is
    written at every change of stage and every `checkpoint_seconds`.
    Raises `MixgraphError` at anything a user can mend, `Stopped` when asked to stop.
    """
    config = config or make_config()
    chosen = choose_device(device)
    _require_known(config)
    if output is None:
        with tempfile.TemporaryDirectory(prefix="mixgraph-") as folder:
            inside = Path(folder) / "result"
            return search(song, config, output=inside, device=device, watch=watch, should_stop=should_stop)
    output = Path(output)
    if resume and output.is_dir() and not partial_folder(output).exists():
        return Result.load(output)
    check_output(output, resume=resume, overwrite=overwrite)
    if not isinstance(song, Song):
        song = load_song(
            song, sample_rate=config.audio.sample_rate, memory_budget_mb=config.audio.memory_budget_mb, require_mix=True
        )
    problem = Problem(song, config, chosen)
    problem.target(0, cached=True)  # refuses settings that the loss cannot work with before a folder is made
    workspace = Workspace(output, resume=resume, overwrite=overwrite)
    run = SearchRun(problem, workspace, watch=watch, should_stop=should_stop, checkpoint_seconds=checkpoint_seconds)
    state = run.run(workspace.load())
    result = Result(
        state.graph, state.bank.to("cpu"), config, _metrics(problem, state), _provenance(song, config, chosen)
    )
    write_mix(result, song, workspace.folder / MIX, device=chosen)
    result.save(workspace.folder)
    workspace.finish()
    return result


def _require_known(config: SearchConfig) -> None:
    """Refuses names that the registries do not know, before any work."""
    chain_types(config.console.chain)
    chain_types(config.loss.gain_staging_types)
    STRATEGIES[config.prune.strategy]


def choose_device(name: str) -> torch.device:
    """The device to compute on; `auto` is CUDA where there is one, else the CPU. Raises `ConfigError`."""
    if name not in DEVICES:
        raise ConfigError(f"unknown device '{name}'; known: {', '.join(DEVICES)}")
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = "cuda" if available["cuda"] else "cpu"
    if not available[name]:
        raise ConfigError(f"device '{name}' is not available here; use --device cpu")
    return torch.device(name)


def _metrics(problem: Problem, state: State) -> dict[str, Any]:
    notes = state.notes
    kept = count_processors(state.graph)
    return {
        "loss": {name: notes[name] for name in ("plain_sum", "console", "pruned", "without_type")},
        "pruning_ratio": pruning_ratio(notes["initial"], kept),
        "processors": {"initial": notes["initial"], "kept": kept},
        "seconds": sum(notes["stage_seconds"].values()),
        "stage_seconds": notes["stage_seconds"],
        "peak_memory_mb": peak_memory_mb(),
        "segments": notes["segments"],
        "trials": notes["trials"],
    }


def _provenance(song: Song, config: SearchConfig, device: torch.device) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "song": song.name,
        "song_folder": str(song.folder.absolute()) if song.folder else None,
        "tracks": list(song.tracks),
        "subgroups": {name: list(tracks) for name, tracks in song.subgroups.items()},
        "input_sha256": song.hashes,
        "seed": config.seed,
        "config": config.model_dump(mode="json"),
        "device": str(device),
        "threads": torch.get_num_threads(),
        "versions": {name: version(name) for name in VERSIONS_OF} | {"python": platform.python_version()},
        "platform": platform.platform(),
    }
