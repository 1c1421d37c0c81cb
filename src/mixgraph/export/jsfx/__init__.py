"""Processors as JSFX, the effects that REAPER compiles from text: the same maths, sample by sample."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from string import Template
from typing import Any, Final

import torch

from mixgraph.errors import ResultError
from mixgraph.export.responses import Response, processor_of
from mixgraph.processors.base import ConvolutionProcessor, MatrixProcessor
from mixgraph.processors.gain_panning import GainPanning
from mixgraph.processors.knee import KneeProcessor
from mixgraph.processors.stereo_imager import StereoImager
from mixgraph.result.result import Result

SHORT_BLOCK, LONG_BLOCK, MANY_TAPS = 1024, 4096, 8192
"""Samples of a convolver's block, which is what it adds to the latency; longer responses take longer ones."""
SLIDERS: Final = 64


@dataclass(frozen=True)
class Effect:
    """One effect: its text, what its sliders stand at, and the response that it reads from a file, if any."""

    text: str
    sliders: tuple[float, ...]
    response: Response | None = None


def effect_of(result: Result, id: str, file: str) -> Effect:
    """A processor as an effect; `file` is the name of the WAV that holds its impulse response, where it has one.

    Raises `ResultError` for a processor that is neither linear nor a compressor or gate of ours.
    """
    node = result.graph.node(id)
    processor, title = processor_of(result, id), node.type.replace("_", " ")
    parameters = {name: value.double().cpu() for name, value in result.bank.select(node.type, [id]).items()}
    wet = 100 * result.bank.dry_wet()[id]
    with torch.no_grad():
        physical = {name: value[0].tolist() for name, value in processor.physical(parameters).items()}
        match processor:
            case GainPanning():
                left, right = physical["gain_db"]
                return _effect("gain_panning", left_db=left, right_db=right, wet_percent=wet)
            case StereoImager():
                return _effect("stereo_imager", side_db=physical["side_gain_db"], wet_percent=wet)
            case MatrixProcessor():
                names = ("left_left", "right_left", "left_right", "right_right")
                gains = dict(zip(names, processor.matrix(parameters)[0].flatten().tolist(), strict=True))
                return _effect("matrix", **gains, wet_percent=wet, title=title)
            case KneeProcessor():
                return _effect("dynamics", **physical, wet_percent=wet, title=title, **_curve(processor))
            case ConvolutionProcessor():
                made = processor.impulse_response(parameters)
                rows = made.taps[0].cpu().numpy()
                taps = rows[[0, -1], None] * [[[1.0], [0.0]], [[0.0], [1.0]]]
                response = Response(taps, made.origin).shortened()
                count = response.taps.shape[-1]
                how = {"block": LONG_BLOCK if count > MANY_TAPS else SHORT_BLOCK, "taps": count}
                how |= {"origin": response.origin, "sample_rate": processor.sample_rate, "file": file}
                made = _effect("convolver", wet_percent=wet, title=title, **how)
                return Effect(made.text, made.sliders, response)
    raise ResultError(f"node '{id}': no JSFX computes a {title}; export another format")


def _curve(processor: KneeProcessor) -> dict[str, Any]:
    """What the sliders leave open: which way the curve bends, and the settings of the result."""
    config = processor.config
    exponent = 0.5 if config.dynamics_form == "physical" else 1.0
    slope = "1 / slider2 - 1" if processor.sign == 1 else "1 - slider2"
    return {"rate": f"{exponent} * ({slope})", "sign": processor.sign, "floor": f"{config.dynamics_energy_floor:.17f}"}


def _effect(name: str, **values: Any) -> Effect:
    """A template with its values; sliders are those that it lists, in order."""
    template = Template(files(__name__).joinpath(f"{name}.jsfx").read_text(encoding="utf-8"))
    said = {key: repr_of(value) if isinstance(value, float) else str(value) for key, value in values.items()}
    lines = [line for line in template.template.splitlines() if line.startswith("slider")]
    keys = [line.partition("${")[2].partition("}")[0] for line in lines]
    return Effect(template.substitute(said), tuple(float(values[key]) for key in keys))


def repr_of(value: float) -> str:
    """A number as EEL2 reads it: all digits, no exponent."""
    return f"{value:.17f}".rstrip("0").rstrip(".") or "0"
