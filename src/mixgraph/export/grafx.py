"""The graph and its parameters for GRAFX 0.6 (Lee et al., DAFx 2024, arXiv 2408.03204), and `load_grafx`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Final, final

import torch
from torch import Tensor

from mixgraph.config import ProcessorConfig
from mixgraph.errors import ConfigError, ResultError
from mixgraph.export.base import EXPORTS, Export, Source
from mixgraph.export.fidelity import Fate
from mixgraph.files import read_json, write_json
from mixgraph.processors.bank import DRY_WET
from mixgraph.processors.knee import LOG_RATIO
from mixgraph.result.result import Result, read_tensors, write_tensors

GRAPH, PARAMETERS = "grafx.json", "parameters.safetensors"
WEIGHT: Final = "drywet_weight"
ENVELOPE_TAPS: Final = 16_384
DYNAMICS: Final = {"log_threshold": "log_threshold", LOG_RATIO: "log_ratio", "log_knee": "log_knee"}
NAMES: Final[Mapping[str, Mapping[str, str]]] = {
    "equalizer": {"log_magnitude": "log_magnitude"},
    "compressor": {**DYNAMICS, "smoothing_logit": "z_alpha_pre"},
    "noise_gate": {**DYNAMICS, "smoothing_logit": "z_alpha_pre"},
    "stereo_imager": {"log_gain": "log_gain"},
    "gain_panning": {"log_gain": "log_gain"},
    "multitap_delay": {"tap": "delay_z", "color_log_magnitude": "log_fir_magnitude"},
    "reverb": {"initial_log_magnitude": "init_log_magnitude", "decay_log_magnitude": "delta_log_magnitude"},
}
"""Type → our parameter → GRAFX's."""

CONSTANTS: Final = ("dynamics_threshold_offset", "dynamics_energy_floor", "dynamics_max_smoothing", "reverb_noise_seed")
"""Settings that GRAFX has fixed, at our defaults."""


@dataclass(frozen=True)
class GrafxMix:
    """What `grafx.render.render_grafx` takes: processors, parameters and weights in the order of `graph`'s nodes.

    `graph` is a `grafx.data.GRAFX`, ordered for rendering, `tracks` names its inputs in order.
    """

    graph: Any
    processors: torch.nn.ModuleDict
    parameters: dict[str, dict[str, Tensor]]
    weights: Tensor
    tracks: tuple[str, ...]
    sample_rate: int


@final
@EXPORTS.register("grafx")
class Grafx(Export):
    """Graph and tensors for GRAFX 0.6, and a loader that builds its graph, processors and parameters.

    Ratios are turned into those of GRAFX, which multiplies amplitudes by a gain of energies.
    """

    needs_song: ClassVar[bool] = False

    def write(self, source: Source, folder: Path) -> list[Fate]:
        result, graph = source.result, source.result.graph
        _require_known(result)
        nodes = [{"name": node.id, "type": node.type, "source": node.source} for node in graph.order]
        document = {"schema_version": 1, "song": source.name, "sample_rate": source.sample_rate, "nodes": nodes}
        document |= {"edges": [list(edge) for edge in graph.edges], "sizes": _sizes(result)}
        write_json(folder / GRAPH, document)
        write_tensors(folder / PARAMETERS, _tensors(result))
        cut = f"its own, with an envelope cut at {ENVELOPE_TAPS} taps"
        return [
            Fate(node.id, node.type, "exact", cut if LOG_RATIO in NAMES[node.type] else "its own")
            for node in graph.processors
        ]


def load_grafx(folder: str | Path, *, method: str = "beam") -> GrafxMix:
    """Builds GRAFX's objects from an export; `method` is its way to order nodes. Runs no code from the folder.

    Raises `ConfigError` where GRAFX is not installed, `ResultError` at a file that is none of ours.
    """
    path = Path(folder) / GRAPH
    try:
        data, render = (import_module(f"grafx.{part}") for part in ("data", "render"))
    except ImportError as error:
        raise ConfigError(f"this needs GRAFX ({error}); pip install grafx==0.6.0") from None
    document, tensors = read_json(path, "export it again with --to grafx"), read_tensors(path.with_name(PARAMETERS))
    try:
        nodes, sizes = document["nodes"], document["sizes"]
        types = [kind for kind in NAMES if any(node["type"] == kind for node in nodes)]
        drawn = data.GRAFX(config=data.NodeConfigs(types))
        inputs = [node for node in nodes if node["source"] is not None]
        ordered = [*inputs, *(node for node in nodes if node["source"] is None)]
        numbers = {node["name"]: drawn.add(node["type"], name=node["name"]) for node in ordered}
        for start, end in document["edges"]:
            drawn.connect(numbers[start], numbers[end])
        ready: Any = render.reorder_for_fast_render(drawn, method=method)
        names = [told["name"] for _, told in sorted(ready.nodes(data=True))]
        rows = {kind: [node["name"] for node in nodes if node["type"] == kind] for kind in types}
        place = {name: index for index, name in enumerate(names)}
        sources = {node["name"]: node["source"] for node in inputs}
        parameters, weights = {}, torch.zeros(len(names), 1)
        for kind, ids in rows.items():
            index = torch.tensor(sorted(range(len(ids)), key=lambda row: place[ids[row]]))
            parameters[kind] = {name: tensors[f"{kind}.{name}"][index] for name in NAMES[kind].values()}
            weights[torch.tensor([place[name] for name in ids])] = tensors[f"{kind}.{WEIGHT}"]
        processors = torch.nn.ModuleDict({kind: _processor(kind, sizes) for kind in types})
        tracks = tuple(sources[name] for name in names if name in sources)
        return GrafxMix(ready, processors, parameters, weights, tracks, int(document["sample_rate"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ResultError(f"{path}: is no graph of this export ({error!r}); export it again") from None


def _require_known(result: Result) -> None:
    config, defaults = result.config.processors, ProcessorConfig()
    for node in result.graph.processors:
        if node.type not in NAMES:
            raise ResultError(f"node '{node.id}': GRAFX has no {node.type}; export another format")
    for name in CONSTANTS:
        if getattr(config, name) != getattr(defaults, name):
            raise ResultError(f"{name} is {getattr(config, name)}, which GRAFX has fixed; export another format")


def _sizes(result: Result) -> dict[str, int]:
    """What GRAFX's processors are made with, in samples and bins."""
    config, rate = result.config.processors, result.config.audio.sample_rate
    return {
        "equalizer_bins": config.equalizer_bins,
        "delay_slot_samples": round(config.delay_slot_seconds * rate),
        "delay_slots": round(config.delay_seconds / config.delay_slot_seconds),
        "delay_color_bins": config.delay_color_bins,
        "reverb_samples": round(config.reverb_seconds * rate),
        "reverb_fft_size": config.reverb_fft_size,
    }


def _tensors(result: Result) -> dict[str, Tensor]:
    """Parameters by `type.name` in GRAFX's names and shapes, rows in the order of the file's nodes."""
    found: dict[str, Tensor] = {}
    for kind, ids in result.bank.keep({kind: result.graph.ids_of(kind) for kind in result.bank.ids}).ids.items():
        values = result.bank.select(kind, ids)
        if LOG_RATIO in values and result.config.processors.dynamics_form == "physical":
            ratio = values[LOG_RATIO]
            # Half our slope: (1/R - 1)/2 = 1/r - 1 gives r - 1 = (R - 1)/(R + 1); (1 - R)/2 = 1 - r gives half of it.
            lower = torch.logaddexp(ratio, torch.tensor(math.log(2.0))) if kind == "compressor" else math.log(2.0)
            values = {**values, LOG_RATIO: ratio - lower}
        found |= {f"{kind}.{theirs}": _column(values[ours]) for ours, theirs in NAMES[kind].items()}
        found[f"{kind}.{WEIGHT}"] = _column(torch.sigmoid(values[DRY_WET]))
    return found


def _column(value: Tensor) -> Tensor:
    return value[:, None] if value.ndim == 1 else value


def _processor(kind: str, sizes: Mapping[str, int]) -> torch.nn.Module:
    processors = import_module("grafx.processors")
    plain: dict[str, Any] = {"flashfftconv": False}
    match kind:
        case "equalizer":
            made = processors.ZeroPhaseFIREqualizer(num_magnitude_bins=sizes["equalizer_bins"])
        case "compressor":
            made = processors.Compressor(**plain, iir_len=ENVELOPE_TAPS)
        case "noise_gate":
            made = processors.NoiseGate(**plain, iir_len=ENVELOPE_TAPS)
        case "stereo_imager":
            made = processors.SideGainImager()
        case "gain_panning":
            made = processors.StereoGain()
        case "multitap_delay":
            taps: dict[str, Any] = {"segment_len": sizes["delay_slot_samples"], "num_segments": sizes["delay_slots"]}
            made = processors.MultitapDelay(**plain, **taps, zp_filter_bins=sizes["delay_color_bins"])
        case _:
            fft = sizes["reverb_fft_size"]
            made = processors.STFTMaskedNoiseReverb(
                **plain, ir_len=sizes["reverb_samples"], n_fft=fft, hop_length=fft // 2
            )
    return processors.DryWet(made)
