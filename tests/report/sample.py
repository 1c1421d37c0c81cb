"""Small songs and results with every type of processor, without a search: `from tests.report.sample import ...`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mixgraph.audio.song import Song, load_song
from mixgraph.console import build_console
from mixgraph.graph.graph import Graph
from mixgraph.processors.bank import DRY_WET, ParameterBank, chain_types, make_processors
from mixgraph.report import write_report
from mixgraph.result.result import Result, processor_ids
from tests.cli.tiny import write_song
from tests.engine import RATE, small_config

SECONDS = 12
TRACKS = ("bass", "drums", "voice")
SUBGROUPS = {"band": ("bass", "drums")}
# Two of every type, so that runs of linear effects, dynamics before and after them, and delays in parallel occur.
KEPT = (
    "track:bass/equalizer",
    "track:bass/compressor",
    "track:bass/gain_panning",
    "track:drums/noise_gate",
    "track:drums/stereo_imager",
    "track:drums/multitap_delay",
    "subgroup:band/equalizer",
    "subgroup:band/compressor",
    "subgroup:band/reverb",
    "track:voice/gain_panning",
    "track:voice/reverb",
)


def make_song(
    tracks: Sequence[str] = TRACKS,
    *,
    subgroups: dict[str, tuple[str, ...]] | None = None,
    seconds: float = SECONDS,
    has_mix: bool = True,
    name: str = "sample",
) -> Song:
    """Steady tones that go up and down, each at its own pace: a gap or a wrong place shows anywhere."""
    rng = np.random.default_rng(7)
    time = np.arange(round(seconds * RATE)) / RATE
    sounds = {}
    for index, track in enumerate(tracks):
        swing = np.abs((time / (2 + 0.7 * index) + 0.3 * index) % 2 - 1)
        phase = 2 * np.pi * np.cumsum(200 + 2_400 * swing) / RATE
        tone = 0.15 * np.sin(phase + np.array([[0.0], [0.5 * index]]))
        sounds[track] = (tone + 0.005 * rng.standard_normal(tone.shape)).astype(np.float32)
    mix = sum(sounds.values(), np.zeros((2, len(time)), np.float32)) * np.float32(0.8)
    mix = mix + 0.01 * rng.standard_normal(mix.shape).astype(np.float32)
    return Song.from_arrays(name, sounds, mix if has_mix else None, RATE, subgroups)


def make_result(song: Song, graph: Graph | None = None, *, seed: int = 0) -> Result:
    """The console of the song with only `KEPT` left (or `graph`), random settings, and metrics as of a search."""
    config = small_config(audio={"segment_seconds": 1.0}, prune={"evaluation_hop_seconds": 0.95, "trial_segments": 4})
    subgroups = {name: list(tracks) for name, tracks in song.subgroups.items()}
    console = build_console(song.tracks, subgroups, chain_types(config.console.chain))
    if graph is None:
        graph = console.without([node.id for node in console.processors if node.id not in KEPT])
    processors = make_processors(chain_types(config.console.chain), RATE, config.processors)
    generator = torch.Generator().manual_seed(seed)
    ids = processor_ids(graph)
    bank = ParameterBank.initial(ids, processors, std=0.4, generator=generator)
    for group in bank.tensors.values():
        group[DRY_WET].copy_(torch.randn(group[DRY_WET].shape, generator=generator) + 0.5)
    # So that each one does something that can be heard.
    for kind, name, shift in (("noise_gate", "log_threshold", 3.0), ("gain_panning", "log_gain", 1.0)):
        if kind in bank.tensors:
            bank.tensors[kind][name].add_(shift)
    counts = {when: _count(some) for when, some in (("initial", console), ("kept", graph))}
    loss = {stage: _loss(0.5) for stage in ("plain_sum", "console", "pruned")}
    ratio = 1 - counts["kept"]["total"] / max(1, counts["initial"]["total"])
    metrics = {"loss": loss, "processors": counts, "pruning_ratio": {"total": ratio}, "seconds": 61.0, "trials": 9}
    provenance = {"song": song.name, "song_folder": None, "tracks": list(song.tracks), "subgroups": subgroups}
    result = Result(graph, bank, config, metrics, provenance)
    if song.has_mix:
        loss["pruned"] = result.evaluate(song).to_json()
    return replace(result, provenance=provenance | {"config": config.model_dump(mode="json")})


def make_history(result: Result) -> list[dict[str, Any]]:
    """Twenty steps, a round of trials, ten steps."""
    pruned = result.metrics["processors"]["initial"]["total"] - result.metrics["processors"]["kept"]["total"]
    step = {"event": "step", "stage": "console", "round": 0}
    steps = [step | {"step": number, "loss": 2.0, "audio": 1 / number} for number in range(1, 21)]
    trials = [
        {"event": "trial", "round": 1, "candidates": ["x"] * pruned, "loss": 0.5, "accepted": True},
        {"event": "trial", "round": 1, "candidates": ["y"], "loss": 0.9, "accepted": False},
    ]
    return [*steps, *trials, *steps[10:]]


def make_page(folder: Path, song: Song, **options: Any) -> Path:
    """A report in a folder, with the history of a search."""
    result = options.pop("result", None) or make_result(song)
    history = options.pop("history", make_history(result))
    path = folder / "report.html"
    write_report(result, song, path, history=history, **options)
    return path


def _count(graph: Graph) -> dict[str, Any]:
    by_type = {kind: len(ids) for kind, ids in processor_ids(graph).items()}
    return {"total": sum(by_type.values()), "by_type": by_type}


def _loss(value: float) -> dict[str, Any]:
    both = {"target": value, "published": value}
    return both | {"channels": dict.fromkeys(("left_right", "mid", "side"), both)}


def save_beside_song(folder: Path) -> Path:
    """A result folder in `folder`, whose song lies beside it."""
    result_folder = folder / "result"
    result_folder.mkdir()
    with load_song(write_song(folder / "song"), sample_rate=RATE) as song:
        result = make_result(song)
        result.provenance["song_folder"] = str(folder / "song")
        result.save(result_folder)
    return result_folder
