"""The graph for the page's own renderer: what each node computes, in plain numbers and impulse responses.

Web Audio has convolution, sums and gains; compressor and gate run in a worklet. So a processor can be bypassed and a
track muted while one listens, and what follows reacts as it would have.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import soundfile
import torch

from mixgraph.graph.node import IN, Node
from mixgraph.processors.base import ConvolutionProcessor, MatrixProcessor
from mixgraph.processors.knee import KneeProcessor
from mixgraph.result.result import Result

INAUDIBLE: Final = 1e-7  # of a response's energy: where it is cut
SHORTEST: Final = 64  # samples of a response; decoders dislike tiny files
PEAK: Final = 0.98


@dataclass(frozen=True)
class LiveGraph:
    """Nodes in an order that signals can take, as JSON, and the impulse responses that they name by number, as FLAC."""

    nodes: tuple[dict[str, Any], ...]
    impulses: tuple[bytes, ...]


def live_graph(result: Result) -> LiveGraph | None:
    """None where a processor of the graph is of a kind that the page cannot compute."""
    nodes, impulses = [], []
    weights = result.bank.dry_wet()
    for node in result.graph.order:
        made: dict[str, Any] = {"id": node.id, "from": list(result.graph.predecessors(node.id))}
        if node.type == IN:
            made |= {"kind": "in", "track": node.source}
        elif not node.is_processor:
            made |= {"kind": "sum"}
        else:
            effect = _effect(result, node, impulses)
            if effect is None:
                return None
            made |= effect | {"wet": weights[node.id]}
        nodes.append(made)
    return LiveGraph(tuple(nodes), tuple(impulses))


@torch.no_grad()
def _effect(result: Result, node: Node, impulses: list[bytes]) -> dict[str, Any] | None:
    parameters = result.bank.select(node.type, [node.id])
    match result.processors[node.type]:
        case ConvolutionProcessor() as processor:
            response = processor.impulse_response(parameters)
            taps = _shortened(response.taps[0].double().cpu().numpy())
            scale = float(np.abs(taps).max()) / PEAK or 1.0
            impulses.append(_flac(taps / scale, result.config.audio.sample_rate))
            return {"kind": "response", "impulse": len(impulses) - 1, "origin": response.origin, "scale": scale}
        case MatrixProcessor() as processor:
            return {"kind": "matrix", "matrix": processor.matrix(parameters)[0].flatten().tolist()}
        case KneeProcessor() as processor:
            knee = processor.knee(parameters)
            names = ("threshold", "rate", "half_knee", "smoothing")
            values = {name: float(getattr(knee, name)) for name in names}
            return {"kind": "knee", "knee": values | {"sign": knee.sign, "floor": knee.floor}}
    return None


def _shortened(taps: np.ndarray) -> np.ndarray:
    """Taps `(channel, time)` up to where nothing more is heard."""
    energy = np.square(taps).sum(0)
    left = np.cumsum(energy[::-1])[::-1]
    length = max(SHORTEST, int((left > INAUDIBLE * energy.sum()).sum()))
    return np.pad(taps, ((0, 0), (0, max(0, length - taps.shape[1]))))[:, :length]


def _flac(signal: np.ndarray, sample_rate: int) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, signal.T, sample_rate, "PCM_24", format="FLAC")
    return file.getvalue()
