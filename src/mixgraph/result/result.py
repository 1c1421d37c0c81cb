"""The answer of a search: a graph with its parameters, the numbers that say how good it is, and where it came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from mixgraph.audio.files import write_audio
from mixgraph.audio.song import Song
from mixgraph.config import SearchConfig, validate
from mixgraph.errors import MixgraphError, ResultError
from mixgraph.fit.evaluate import Evaluation, evaluate, evaluation_starts
from mixgraph.fit.problem import Problem
from mixgraph.graph.graph import Graph
from mixgraph.processors.bank import DRY_WET, ParameterBank, make_processors
from mixgraph.processors.base import ParameterSpec, Processor
from mixgraph.render.reference import ReferenceRenderer
from mixgraph.result.files import read_object, read_tensors, write_json, write_tensors
from mixgraph.result.metrics import require_metrics

T = TypeVar("T")
GRAPH, PARAMETERS, METRICS, PROVENANCE, MIX = (
    "graph.json",
    "parameters.safetensors",
    "metrics.json",
    "provenance.json",
    "mix.flac",
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
        write_tensors(folder / PARAMETERS, self.bank.keep(_ids(self.graph)).flatten())
        write_json(folder / METRICS, self.metrics)
        write_json(folder / PROVENANCE, self.provenance)
        write_json(folder / GRAPH, document)

    @classmethod
    def load(cls, folder: str | Path) -> Result:
        """Reads a result folder, on the CPU; runs no code from it. Raises `ResultError` naming the file."""
        folder = Path(folder)
        if not folder.is_dir():
            raise ResultError(f"{folder}: no such folder; give the output of `mixgraph search`")
        provenance = read_object(folder / PROVENANCE)
        if "config" not in provenance:
            raise ResultError(f"{folder / PROVENANCE}: has no 'config'; run the search again")
        config = _read_as(folder / PROVENANCE, lambda: validate(provenance["config"], origin="config"))
        document = read_object(folder / GRAPH)
        graph = _read_as(folder / GRAPH, lambda: Graph.from_json(document))
        ids = _ids(graph)
        processors = _read_as(
            folder / GRAPH, lambda: make_processors(tuple(ids), config.audio.sample_rate, config.processors)
        )
        bank = ParameterBank.unflatten(ids, read_tensors(folder / PARAMETERS))
        _require_sound(bank, processors, folder / PARAMETERS)
        metrics = read_object(folder / METRICS)
        require_metrics(metrics, folder / METRICS)
        return cls(graph, bank, config, metrics, provenance)

    def physical(self) -> dict[str, dict[str, torch.Tensor]]:
        """Every processor's parameters in dB, ms, Hz and ratios, by node id."""
        processors = make_processors(tuple(self.bank.ids), self.config.audio.sample_rate, self.config.processors)
        found = {}
        with torch.no_grad():
            for kind, ids in self.bank.ids.items():
                values = processors[kind].physical(self.bank.tensors[kind])
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
            name = self._head(end).removeprefix("subgroup:")
            stems[name] = stems.get(name, np.zeros_like(signal)) + ends[end] * signal
        return stems

    def _head(self, node_id: str) -> str:
        """The first node of the chain that ends at a node: the mix of a subgroup."""
        before = self.graph.predecessors(node_id)
        return self._head(before[0]) if self.graph.node(node_id).is_processor and len(before) == 1 else node_id

    @torch.no_grad()
    def signals(self, song: Song, ids: list[str], *, device: str | torch.device = "cpu") -> dict[str, np.ndarray]:
        """What leaves the named nodes over a whole song, `(2, samples)` each.

        Every node is rendered in one piece from start to end, so there are no block edges to click.
        Raises `ResultError` if the song lacks a track or has another sample rate.
        """
        self._require_fit(song)
        processors = make_processors(tuple(self.bank.ids), self.config.audio.sample_rate, self.config.processors)
        renderer = ReferenceRenderer(self.graph, processors, song.tracks)
        bank = self.bank.to(device)
        outputs = renderer.node_outputs(lambda name: torch.from_numpy(song.track(name)).to(device), bank, ids)
        return {name: signal.cpu().numpy() for name, signal in outputs.items()}

    def evaluate(self, song: Song, *, device: str | torch.device = "cpu") -> Evaluation:
        """The loss against the song's mix, over all evaluation segments."""
        self._require_fit(song)
        problem = Problem(song, self.config, torch.device(device))
        return evaluate(problem, self.graph, self.bank.to(device), evaluation_starts(problem))

    def _require_fit(self, song: Song) -> None:
        missing = [name for name in self.tracks if name not in song.tracks]
        if missing:
            raise ResultError(
                f"song '{song.name}' has no track '{missing[0]}'; this result needs {', '.join(self.tracks)}: "
                "name the files so"
            )
        if song.sample_rate != self.config.audio.sample_rate:
            raise ResultError(
                f"song '{song.name}' is read at {song.sample_rate} Hz; "
                f"this result needs {self.config.audio.sample_rate} Hz"
            )


def write_mix(result: Result, song: Song, path: Path, *, device: str | torch.device = "cpu") -> None:
    """Renders the whole song into an audio file."""
    write_audio(path, result.render(song, device=device), song.sample_rate)


def _ids(graph: Graph) -> dict[str, tuple[str, ...]]:
    return {kind: graph.ids_of(kind) for kind in sorted({node.type for node in graph.processors})}


def _read_as(file: Path, parse: Callable[[], T]) -> T:
    try:
        return parse()
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
