"""`search`: one song in, one result out."""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from mixgraph.audio.files import write_audio
from mixgraph.audio.loudness import track_lufs
from mixgraph.audio.song import Song, load_song
from mixgraph.config import SearchConfig, make_config
from mixgraph.errors import ConfigError
from mixgraph.fit.problem import Problem
from mixgraph.processors.bank import chain_types
from mixgraph.prune.strategies.base import STRATEGIES
from mixgraph.result.result import Result
from mixgraph.run.events import Watcher
from mixgraph.run.search import SearchRun
from mixgraph.run.workspace import Workspace, check_output, partial_folder


def search(
    song: Song | str | Path,
    config: SearchConfig | None = None,
    *,
    output: str | Path | None = None,
    device: str = "auto",
    resume: bool = False,
    overwrite: bool = False,
    watch: Watcher = lambda progress: None,
    should_stop: Callable[[], bool] = lambda: False,
    checkpoint_seconds: float = 30.0,
    report: bool = False,
) -> Result:
    """Finds the mixing graph of a song (Lee et al., DAFx 2024, arXiv 2406.01049).

    `song` is a `Song` or a song folder, `config` defaults to the laptop preset. With `output` the result folder is
    written there, and a run that is broken off (`should_stop` says so, or it is killed) can be resumed; a checkpoint is
    written at every change of stage and every `checkpoint_seconds`. With `report`, `report.html` is written there too.
    Raises `MixgraphError` at anything a user can mend, `Stopped` when asked to stop.
    """
    config, chosen = config or make_config(), choose_device(device)
    # Names that the registries do not know are refused before any work.
    chain_types(config.console.chain)
    chain_types(config.loss.gain_staging_types)
    STRATEGIES[config.prune.strategy]
    if output is None:
        with tempfile.TemporaryDirectory(prefix="mixgraph-") as folder:
            inside = Path(folder, "result")
            return search(song, config, output=inside, device=device, watch=watch, should_stop=should_stop)
    output = Path(output)
    if resume and output.is_dir() and not partial_folder(output).exists():
        return Result.load(output)
    check_output(output, resume=resume, overwrite=overwrite)
    if not isinstance(song, Song):
        audio = config.audio
        song = load_song(song, sample_rate=audio.sample_rate, memory_budget_mb=audio.memory_budget_mb)
    problem = Problem(song, config, chosen)
    problem.target(0, cached=True)  # refuses settings that the loss cannot work with before a folder is made
    workspace = Workspace(output, resume=resume, overwrite=overwrite)
    run = SearchRun(problem, workspace, watch, should_stop, checkpoint_seconds)
    run.run()
    result = Result(run.graph, run.bank.to("cpu"), config, run.metrics(), provenance_of(song, config, chosen))
    write_audio(workspace.folder / "mix.flac", result.render(song, device=chosen), song.sample_rate)
    result.save(workspace.folder)
    if report:
        from mixgraph.report.search_history import read_history
        from mixgraph.report.write import write_report

        history = read_history(workspace.folder)
        write_report(result, song, workspace.folder / "report.html", history=history, device=chosen)
    workspace.finish()
    return result


def choose_device(name: str) -> torch.device:
    """The device to compute on; `auto` is CUDA where there is one, else the CPU. Raises `ConfigError`."""
    cuda = torch.cuda.is_available()
    available = {"auto": True, "cpu": True, "cuda": cuda, "mps": torch.backends.mps.is_available()}
    if name not in available:
        raise ConfigError(f"unknown device '{name}'; known: {', '.join(available)}")
    if not available[name]:
        raise ConfigError(f"device '{name}' is not available here; use --device cpu")
    return torch.device(("cuda" if cuda else "cpu") if name == "auto" else name)


def provenance_of(song: Song, config: SearchConfig, device: torch.device) -> dict[str, Any]:
    """What `provenance.json` says of a result: inputs, settings, versions and machine."""
    packages = ("mixgraph", "torch", "numpy", "scipy", "soundfile", "soxr")
    return {
        "schema_version": 1,
        "song": song.name,
        "song_folder": str(song.folder.absolute()) if song.folder else None,
        "layout": song.layout.to_json() if song.folder else None,
        "tracks": list(song.tracks),
        "subgroups": {name: list(tracks) for name, tracks in song.subgroups.items()},
        "track_lufs": track_lufs(song, song.tracks),
        "input_sha256": song.hashes,
        "seed": config.seed,
        "config": config.model_dump(mode="json"),
        "device": str(device),
        "threads": torch.get_num_threads(),
        "versions": {name: version(name) for name in packages} | {"python": platform.python_version()},
        "platform": platform.platform(),
    }
