"""One processor of a result as an expression in Faust, with sliders for what can be turned."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Final

import numpy as np
import torch

from mixgraph.errors import ResultError
from mixgraph.export.responses import Response, processor_of
from mixgraph.processors.base import ConvolutionProcessor, MatrixProcessor
from mixgraph.processors.gain_panning import GainPanning
from mixgraph.processors.knee import KneeProcessor
from mixgraph.processors.stereo_imager import StereoImager
from mixgraph.result.result import Result

LIBRARY: Final = files(__name__.rpartition(".")[0]).joinpath("library.dsp").read_text(encoding="utf-8")
RANGES: Final = {
    "threshold_db": (-140.0, 40.0),
    "ratio": (1.0, 1000.0),
    "knee_db": (0.0, 80.0),
    "smoothing_ms": (0.001, 60_000.0),
    "left_db": (-60.0, 24.0),
    "right_db": (-60.0, 24.0),
    "side_db": (-60.0, 24.0),
    "wet": (0.0, 1.0),
}
KNEE_SLIDERS: Final = ("threshold_db", "ratio", "knee_db", "smoothing_ms")
LEAST_FRAME, LONGEST_FRAME = 16, 4096


@dataclass(frozen=True)
class Block:
    """An expression of two inputs and outputs, how late it is in samples, and how it does what the processor does.

    `taps` are definitions that it needs, by their names.
    """

    text: str
    how: str
    latency: int = 0
    taps: Mapping[str, str] = field(default_factory=dict[str, str])


def block_of(result: Result, id: str, name: str, label: str) -> Block:
    """A processor as a block; `name` begins the names that it defines, `label` those of its sliders.

    Raises `ResultError` for a processor that is neither linear nor a compressor or gate of ours.
    """
    node, processor, wet = result.graph.node(id), processor_of(result, id), result.bank.dry_wet()[id]
    parameters = {key: value.double().cpu() for key, value in result.bank.select(node.type, [id]).items()}
    with torch.no_grad():
        values = processor.physical(parameters)
        physical: dict[str, Any] = {key: value[0].tolist() for key, value in values.items()}
        match processor:
            case GainPanning():
                left, right = physical["gain_db"]
                return Block(f"gains({_sliders(label, left_db=left, right_db=right, wet=wet)})", "gains with sliders")
            case StereoImager():
                sliders = _sliders(label, side_db=physical["side_gain_db"], wet=wet)
                return Block(f"imager({sliders})", "the gain of the side with a slider")
            case MatrixProcessor():
                matrix = ", ".join(map(number, processor.matrix(parameters)[0].flatten().tolist()))
                return Block(f"matrix({matrix}, {_sliders(label, wet=wet)})", "gains from channels to channels")
            case KneeProcessor():
                # What sliders leave open: which way the curve bends, and the settings of the result.
                exponent = 0.5 if processor.config.dynamics_form == "physical" else 1.0
                fixed = f"{processor.sign}, {number(processor.config.dynamics_energy_floor)}, {exponent}"
                turned = {key: physical[key] for key in KNEE_SLIDERS}
                text = f"knee({fixed}, {_sliders(label, **turned, wet=wet)})"
                return Block(text, "sample by sample, with sliders")
            case ConvolutionProcessor():
                made = processor.impulse_response(parameters)
                rows = made.taps[0].cpu().numpy()[[0, -1], None] * [[[1.0], [0.0]], [[0.0], [1.0]]]
                return _convolver(Response(rows, made.origin).shortened(), name, _sliders(label, wet=wet))
    raise ResultError(f"node '{id}': nothing is known of a {node.type} in Faust; export another format")


def frame_of(taps: int) -> int:
    """Samples of a transform for so many taps, a power of two: short ones are early, long ones need fewer frames."""
    return min(max(2 ** round(math.log2(8 * math.sqrt(taps))), LEAST_FRAME), LONGEST_FRAME)


def number(value: float) -> str:
    """A number that may stand anywhere in Faust."""
    return f"({value:.9g})"


def _convolver(response: Response, name: str, sliders: str) -> Block:
    count = response.taps.shape[-1]
    frame = frame_of(count)
    frames = -(-count // frame)
    left, right = (_waveform(response.taps[side, side], frame * frames) for side in (0, 1))
    taps = {f"{name}l": left, f"{name}r": f"{name}l" if left == right else right}
    sizes = f"{frame}, {frame.bit_length() - 1}, {frames}, {response.origin}"
    latency = response.origin + 5 * frame // 2 - 2
    how = f"convolution with {count} taps, {latency} samples late; a slider for the wet share"
    return Block(f"convolver({sizes}, {', '.join(taps)}, {sliders})", how, latency, taps)


def _waveform(taps: np.ndarray, count: int) -> str:
    values = np.pad(taps, (0, count - len(taps)))
    return f"waveform{{{','.join(f'{value:.8g}' for value in values.tolist())}}} : !, _"


def _sliders(label: str, **values: float) -> str:
    made = []
    for key, value in values.items():
        low, high = RANGES[key]
        limits = f"{min(low, value):.9g}, {max(high, value):.9g}"
        made.append(f'hslider("{label} {key}", {number(value)}, {limits}, 0.000001)')
    return ", ".join(made)
