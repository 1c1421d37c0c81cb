"""`apply`: a found graph used on the stems of another song; what comes out is a result like any other."""

from __future__ import annotations

import shutil
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mixgraph.audio.files import write_audio
from mixgraph.audio.loudness import track_lufs
from mixgraph.audio.song import Song
from mixgraph.console import build_console
from mixgraph.errors import ResultError
from mixgraph.fit.evaluate import evaluate, evaluation_starts
from mixgraph.fit.problem import Problem
from mixgraph.graph.graph import Graph
from mixgraph.presets.chains import chains_of
from mixgraph.presets.levels import FULLY_WET, Mode, with_levels
from mixgraph.presets.mapping import StemMapping, Wishes, make_mapping
from mixgraph.presets.transplant import transplant
from mixgraph.processors.bank import DRY_WET, ParameterBank, chain_types, make_processors
from mixgraph.processors.base import DynamicsProcessor
from mixgraph.result.result import Result, processor_ids
from mixgraph.run.api import provenance_of
from mixgraph.run.search import count_processors, pruning_ratio
from mixgraph.run.workspace import Workspace

Lufs = Mapping[str, float | None]


@dataclass(frozen=True)
class Applied:
    """A result for another song, how it came about, and the gain (dB) in front of each track's chain."""

    result: Result
    mapping: StemMapping
    gains_db: dict[str, float]


def apply_result(
    found: Result,
    song: Song,
    *,
    wishes: Wishes | None = None,
    only: Collection[str] = (),
    level: Mode = "keep",
    device: str | torch.device = "cpu",
) -> Applied:
    """Uses a found graph on the stems of another song.

    `wishes` change the mapping that names suggest (`presets.mapping`); `only` keeps the chains of some tracks and
    subgroups, by name. Each track whose signal meets a processor is brought to the loudness that its chain was found
    at, with `level` "undo" back behind its chain; "off" leaves levels alone. The metrics hold the loss where the song
    has a mix. Raises `ConfigError` at wishes that name nothing, `ResultError` if the song has another sample rate, or
    if the found one's loudness is not known: searches note it.
    """
    if song.sample_rate != (rate := found.config.audio.sample_rate):
        raise ResultError(f"song '{song.name}' is read at {song.sample_rate} Hz; this result needs {rate} Hz")
    began, device = time.perf_counter(), torch.device(device)
    mapping = make_mapping(found.graph, song.tracks, song.subgroups, wishes)
    plan = transplant(found.graph, mapping, only)
    known = found.provenance.get("track_lufs", {})
    gains = {} if level == "off" else _gains(found, song, plan.graph, mapping, known, level)
    graph, added = with_levels(plan.graph, gains, undo=level == "undo")
    bank = _bank(found, graph, plan.origins, added)
    metrics = _counts(found, song, mapping, plan.graph) | {"loss": _losses(found, song, graph, bank, device)}
    metrics |= {"applied": True, "seconds": time.perf_counter() - began}
    provenance = provenance_of(song, found.config, device) | {
        "subgroups": {name: list(tracks) for name, tracks in mapping.subgroups.items()},
        "applied": {
            "song": found.provenance["song"],
            "chains": {track: match.chain for track, match in mapping.tracks.items()},
            "only": list(only),
            "level": level,
            "gains_db": gains,
        },
    }
    return Applied(Result(graph, bank, found.config, metrics, provenance), mapping, gains)


def save_applied(applied: Applied, song: Song, output: Path, *, overwrite: bool = False, report: bool = False) -> None:
    """Writes the result folder, with the rendered song, as a search does; raises `OutputError`."""
    workspace = Workspace(output, overwrite=overwrite)
    result = applied.result
    try:
        write_audio(workspace.folder / "mix.flac", result.render(song), song.sample_rate)
        result.save(workspace.folder)
        if report:
            from mixgraph.report.write import write_report

            write_report(result, song, workspace.folder / "report.html")
    except BaseException:
        shutil.rmtree(workspace.folder, ignore_errors=True)  # unlike a search, this cannot be resumed
        raise
    workspace.finish()


def _gains(found: Result, song: Song, graph: Graph, mapping: StemMapping, known: Lufs, level: Mode) -> dict[str, float]:
    """From the song's loudness to the found one: for tracks that meet processors, or, to be undone, such as hear it."""
    chains, gains = chains_of(graph), {}
    for track, match in mapping.tracks.items():
        kinds = {graph.node(id).type for id in chains[track].nodes} & set(found.processors)
        hears = any(isinstance(found.processors[kind], DynamicsProcessor) for kind in kinds)
        if match.chain is None or not (hears if level == "undo" else kinds or _meets(graph, track)):
            continue
        if match.chain not in known:
            cure = "give --level off, or put the found song back"
            raise ResultError(f"the loudness of the found track '{match.chain}' is not known; {cure}")
        now, then = track_lufs(song, [track])[track], known[match.chain]
        gains[track] = 0.0 if now is None or then is None else then - now
    return gains


def _meets(graph: Graph, track: str) -> bool:
    """Whether a track's signal passes any processor."""
    reached = {node.id for node in graph.inputs if node.source == track}
    for node in graph.order:
        if reached.intersection(graph.predecessors(node.id)):
            if node.is_processor:
                return True
            reached.add(node.id)
    return False


def _bank(found: Result, graph: Graph, origins: Mapping[str, str], gains_db: Mapping[str, float]) -> ParameterBank:
    """Copies of the found parameters, and gains on both channels that are fully wet."""
    tensors: dict[str, dict[str, Tensor]] = {}
    ids = processor_ids(graph)
    for kind, names in ids.items():
        copies = [origins[name] for name in names if name in origins]
        parts = [found.bank.select(kind, copies)] if copies else []
        if added := [gains_db[name] for name in names if name in gains_db]:
            processor = make_processors((kind,), found.config.audio.sample_rate, found.config.processors)[kind]
            raw = processor.raw({"gain_db": torch.tensor(added)[:, None].expand(-1, 2)})
            parts.append({**raw, DRY_WET: torch.full((len(added),), FULLY_WET)})
        tensors[kind] = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
        ordered = [name for name in names if name in origins] + [name for name in names if name in gains_db]
        ids[kind] = tuple(ordered)
    return ParameterBank(ids, tensors).keep(processor_ids(graph))


def _counts(found: Result, song: Song, mapping: StemMapping, copies: Graph) -> dict[str, Any]:
    """Copied processors beside those of a full console of the song; gains that only set levels do not count."""
    console = build_console(song.tracks, mapping.subgroups, chain_types(found.config.console.chain))
    initial, kept = count_processors(console), count_processors(copies)
    return {"processors": {"initial": initial, "kept": kept}, "pruning_ratio": pruning_ratio(initial, kept)}


def _losses(found: Result, song: Song, graph: Graph, bank: ParameterBank, device: torch.device) -> dict[str, Any]:
    """The loss of the plain sum and of the applied graph; none where the song has no mix to compare with."""
    if not song.has_mix:
        return {}
    problem = Problem(song, found.config, device)
    starts = evaluation_starts(problem)
    plain = evaluate(problem, build_console(song.tracks, {}, ()), ParameterBank({}, {}), starts)
    applied = evaluate(problem, graph, bank.to(device), starts)
    return {"plain_sum": plain.to_json(), "pruned": applied.to_json()}
