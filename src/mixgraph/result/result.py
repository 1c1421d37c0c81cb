"""The answer of a search: a graph with its parameters, the numbers that say how good it is, and where it came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from mixgraph.audio.song import Song
from mixgraph.config import SearchConfig, validate
from mixgraph.console import build_console
from mixgraph.errors import MixgraphError, ResultError
from mixgraph.files import read_json, write_bytes, write_json
from mixgraph.fit.evaluate import Evaluation, evaluate, evaluation_starts
from mixgraph.fit.problem import Problem
from mixgraph.graph.graph import Graph
from mixgraph.processors.bank import DRY_WET, ParameterBank, chain_types, make_processors
from mixgraph.processors.base import ParameterSpec, Processor
from mixgraph.render.reference import ReferenceRenderer

GRAPH, PARAMETERS, METRICS, PROVENANCE = "graph.json", "parameters.safetensors", "metrics.json", "provenance.json"
CURE = "give a complete result folder of `mixgraph search`, or run the search again"
STAGES = ("plain_sum", "console", "pruned")
SHOWN = (
    *(f"loss.{stage}.{kind}" for stage in STAGES for kind in ("target", "published")),
    *("pruning_ratio.total", "processors.initial.total", "processors.kept.total"),
)


@dataclass(frozen=True)
class Result:
    """A found mixing graph. `metrics` and `provenance` are what their JSON files say."""

    graph: Graph
    bank: ParameterBank
    config: SearchConfig
    metrics: dict[str, Any]
    provenance: dict[str, Any]

    @property
    def tracks(self) -> tuple[str, ...]:
        """Names of the dry tracks that the graph takes."""
        return tuple(node.source for node in self.graph.inputs if node.source is not None)

    @cached_property
    def console(self) -> Graph:
        """The console that the search started from; the graph itself where it is not what pruning leaves of one."""
        settings, tracks = self.config.console, self.provenance.get("tracks", self.tracks)
        subgroups = self.provenance.get("subgroups", {}) if settings.use_subgroups else {}
        kept = {node.id for node in self.graph.nodes}
        try:
            full = build_console(tracks, subgroups, chain_types(settings.chain))
            left = full.without([node.id for node in full.processors if node.id not in kept])
        except MixgraphError:
            return self.graph
        return full if left == self.graph else self.graph

    @cached_property
    def processors(self) -> dict[str, Processor]:
        """The processors of the graph by type; raises `ConfigError` at an unknown one."""
        return make_processors(tuple(self.bank.ids), self.config.audio.sample_rate, self.config.processors)

    def save(self, folder: Path) -> None:
        """Writes all files but the audio into an existing folder; raises `OutputError`."""
        document = self.graph.to_json()
        weights, physical = self.bank.dry_wet(), self.physical()
        for node in document["nodes"]:
            if node["id"] in weights:
                # Extreme but sound parameters read as infinite ratios or times, which JSON cannot hold.
                values = {name: torch.nan_to_num(value).tolist() for name, value in physical[node["id"]].items()}
                node |= {"dry_wet": weights[node["id"]], "parameters": values}
        # The file holds no ids: its rows are the graph's nodes, in their order there.
        write_tensors(folder / PARAMETERS, self.bank.keep(processor_ids(self.graph)).flatten())
        write_json(folder / METRICS, self.metrics)
        write_json(folder / PROVENANCE, self.provenance)
        write_json(folder / GRAPH, document)

    @classmethod
    def load(cls, folder: str | Path) -> Result:
        """Reads a result folder, on the CPU; runs no code from it. Raises `ResultError` naming the file."""
        folder = Path(folder)
        if not folder.is_dir():
            raise ResultError(f"{folder}: no such folder; give the output of `mixgraph search`")
        provenance, document = read_json(folder / PROVENANCE, CURE), read_json(folder / GRAPH, CURE)
        metrics, tensors = read_metrics(folder / METRICS), read_tensors(folder / PARAMETERS)
        for key in ("song", "config"):
            if key not in provenance:
                raise ResultError(f"{folder / PROVENANCE}: has no '{key}'; run the search again")
        with _blaming(folder / PROVENANCE):
            config = validate(provenance["config"], origin="config")
        with _blaming(folder / GRAPH):
            graph = Graph.from_json(document)
            result = cls(graph, ParameterBank.unflatten(processor_ids(graph), tensors), config, metrics, provenance)
            processors = result.processors
        _require_sound(result.bank, processors, folder / PARAMETERS)
        return result

    def physical(self) -> dict[str, dict[str, Tensor]]:
        """Every processor's parameters in dB, ms, Hz and ratios, by node id."""
        found = {}
        with torch.no_grad():
            for kind, ids in self.bank.ids.items():
                values = self.processors[kind].physical(self.bank.tensors[kind])
                found |= {node: {name: value[row] for name, value in values.items()} for row, node in enumerate(ids)}
        return found

    def render(self, song: Song, *, device: str | torch.device = "cpu") -> np.ndarray:
        """The re-rendered mix of a whole song, `(2, samples)` at the song's sample rate."""
        return self.signals(song, [self.graph.output.id], device=device)[self.graph.output.id]

    def stems(self, song: Song, *, device: str | torch.device = "cpu") -> dict[str, np.ndarray]:
        """The signals that enter the output, by the name of their subgroup; they add up to the mix."""
        ends = Counter(self.graph.predecessors(self.graph.output.id))
        stems: dict[str, np.ndarray] = {}
        for end, signal in self.signals(song, list(ends), device=device).items():
            head = end  # back along the chain to the mix of a subgroup
            while self.graph.node(head).is_processor and len(before := self.graph.predecessors(head)) == 1:
                head = before[0]
            name = head.removeprefix("subgroup:")
            stems[name] = stems.get(name, 0) + ends[end] * signal
        return stems

    @torch.no_grad()
    def signals(self, song: Song, ids: list[str], *, device: str | torch.device = "cpu") -> dict[str, np.ndarray]:
        """What leaves the named nodes over a whole song, `(2, samples)` each, in one piece: no block edges to click.

        Raises `ResultError` if the song lacks a track or has another sample rate.
        """
        self._require_fit(song)
        renderer = ReferenceRenderer(self.graph, self.processors, song.tracks)
        bank = self.bank.to(device)
        outputs = renderer.node_outputs(lambda name: torch.from_numpy(song.track(name)).to(device), bank, ids)
        return {name: signal.cpu().numpy() for name, signal in outputs.items()}

    def evaluate(self, song: Song, *, device: str | torch.device = "cpu") -> Evaluation:
        """The loss against the song's mix, over all evaluation segments."""
        self._require_fit(song)
        problem = Problem(song, self.config, torch.device(device))
        return evaluate(problem, self.graph, self.bank.to(device), evaluation_starts(problem))

    def _require_fit(self, song: Song) -> None:
        rate, needed = self.config.audio.sample_rate, ", ".join(self.tracks)
        for name in self.tracks:
            if name not in song.tracks:
                where = f"song '{song.name}' has no track '{name}'"
                raise ResultError(f"{where}; this result needs {needed}: name the files so")
        if song.sample_rate != rate:
            raise ResultError(f"song '{song.name}' is read at {song.sample_rate} Hz; this result needs {rate} Hz")


def processor_ids(graph: Graph) -> dict[str, tuple[str, ...]]:
    """Ids of the processors by type, in the order of the graph; types in alphabetical order."""
    return {kind: graph.ids_of(kind) for kind in sorted({node.type for node in graph.processors})}


@contextmanager
def _blaming(file: Path) -> Iterator[None]:
    try:
        yield
    except MixgraphError as error:
        raise ResultError(f"{file}: {error}") from None


def _require_sound(bank: ParameterBank, processors: Mapping[str, Processor], file: Path) -> None:
    for kind, ids in bank.ids.items():
        for spec in (*processors[kind].parameters, ParameterSpec(DRY_WET, ())):
            found, shape = bank.tensors[kind].get(spec.name), (len(ids), *spec.shape)
            if found is None or found.dtype != torch.float32 or tuple(found.shape) != shape:
                what = "missing" if found is None else f"{found.dtype} {tuple(found.shape)}"
                raise ResultError(f"{file}: {kind}.{spec.name} is {what}, not float32 {shape}; run the search again")
            if not found.isfinite().all():
                raise ResultError(f"{file}: {kind}.{spec.name} has values that are not finite; run the search again")


def read_metrics(path: Path) -> dict[str, Any]:
    """Reads metrics; raises `ResultError` unless the numbers that every result is shown with are there.

    A result of `mixgraph apply` was not searched, and its song may have no mix: of its losses any may be missing.
    """
    metrics = read_json(path, CURE)
    losses = metrics.get("loss")
    measured = losses if metrics.get("applied") and isinstance(losses, dict) else STAGES
    for place in SHOWN:
        if place.startswith("loss.") and place.split(".")[1] not in measured:
            continue
        value: Any = metrics
        for key in place.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if not isinstance(value, int | float):
            raise ResultError(f"{path}: '{place}' is {value!r}, expected a number; run the search again")
    return metrics


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """Writes safetensors; raises `OutputError`."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_bytes(path, safetensors.torch.save(plain, metadata))


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Reads safetensors; raises `ResultError` naming the file."""
    return _read(path, "safetensors", safetensors.torch.load)


def _read(path: Path, what: str, parse: Callable[[bytes], Any]) -> Any:
    try:
        return parse(path.read_bytes())
    except FileNotFoundError:
        raise ResultError(f"{path}: missing; is {path.parent} a complete result folder of `mixgraph search`?") from None
    except (OSError, ValueError, RecursionError, SafetensorError) as error:
        raise ResultError(f"{path}: cannot be read as {what} ({error}); run the search again") from None
