"""The whole graph as one Faust program (faust.grame.fr); inputs are the tracks, two each, in their order."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Final, final

import numpy as np
import torch

from mixgraph.datasets.names import safe
from mixgraph.dsp.bells import Band
from mixgraph.errors import ResultError
from mixgraph.export.base import EXPORTS, Export, Source
from mixgraph.export.fidelity import Fate
from mixgraph.export.fits import fit_equalizer
from mixgraph.export.responses import processor_of, response_of
from mixgraph.files import write_bytes
from mixgraph.processors.equalizer import Equalizer
from mixgraph.processors.knee import KneeProcessor
from mixgraph.result.result import Result

MOST_TAPS: Final = 256
"""Faust unrolls a FIR: 500 taps compile for some 20 s, 2047 did not in 100 s. Longer ones are fitted or left out."""

KNEE: Final = """\
knee(sign, least, exponent, slope, t, k, ms, wet, l, r) = l * g, r * g with {
  a = exp(-1000 / (ma.SR * ms));
  env = (1 - a) * (l * l + r * r) / 2 : + ~ *(a);
  w = max(0.000001, k / db / 2);
  d = sign * (log(env + least) - t / db);
  u = max(0, min(1, (d + w) / (2 * w)));
  g = 1 - wet + wet * exp(exponent * slope * (w * u * u + max(0, d - w)));
  db = 10 / log(10);
};"""


@final
@EXPORTS.register("faust")
class Faust(Export):
    """Faust program of the graph: dynamics and gains exact, equalisers as bells, no long reverbs.

    Latency of short zero-phase filters is made equal on all ways; its sum stands in the program.
    """

    needs_song: ClassVar[bool] = False

    def write(self, source: Source, folder: Path) -> list[Fate]:
        fates: list[Fate] = []
        program = "\n".join(_program(source, fates)) + "\n"
        write_bytes(folder / f"{safe(source.name) or 'song'}.dsp", program.encode())
        return fates


def _program(source: Source, fates: list[Fate]) -> Iterator[str]:
    result, graph = source.result, source.result.graph
    names = {node.id: f"n{index}" for index, node in enumerate(graph.order)}
    inputs = [f"t{index}{side}" for index, _ in enumerate(result.tracks) for side in "lr"]
    tracks = {track: f"t{index}l, t{index}r" for index, track in enumerate(result.tracks)}
    body: list[str] = []
    late: dict[str, int] = {}
    for node in graph.order:
        before = graph.predecessors(node.id)
        arrives = max((late[id] for id in before), default=0)
        late[node.id] = arrives
        if node.source is not None:
            signal = tracks[node.source]
        else:
            waits = (arrives - late[id] for id in before)
            ways = [
                f"({names[id]} : @({wait}), @({wait}))" if wait else names[id]
                for id, wait in zip(before, waits, strict=True)
            ]
            signal = ways[0] if len(ways) == 1 else f"({', '.join(ways)}) :> _, _"
        if node.is_processor:
            effect, latency, fate = _effect(result, node.id)
            signal, late[node.id] = f"{signal} : {effect}", arrives + latency
            fates.append(fate)
        # Comments end with the line, and ids may hold anything.
        body.append(f"  {names[node.id]} = {signal}; // {' '.join(node.id.split())}")
    yield f'declare name "{safe(source.name) or "song"}";'
    yield f'declare description "mixing graph found by mixgraph; made for {source.sample_rate} Hz";'
    yield f'declare latency_samples "{late[graph.output.id]}";'
    yield 'import("stdfaust.lib");'
    yield "// Inputs: " + ", ".join(f"{' '.join(track.split())} (left, right)" for track in result.tracks)
    yield KNEE
    yield f"process({', '.join(inputs)}) = {names[graph.output.id]} with {{"
    yield from body
    yield "};"


def _effect(result: Result, id: str) -> tuple[str, int, Fate]:
    """A block of two inputs and outputs, its latency in samples, and what it keeps."""
    type, processor, response = result.graph.node(id).type, processor_of(result, id), response_of(result, id)
    if isinstance(processor, KneeProcessor):
        return _knee(result, id, processor), 0, Fate(id, type, "exact", "sample by sample, with sliders")
    if response is None:
        raise ResultError(f"node '{id}': nothing is known of a {type} in Faust; export another format")
    if response.is_memoryless:
        (ll, rl), (lr, rr) = response.taps[..., 0].tolist()
        block = f"\\(l, r).(l * {_text(ll)} + r * {_text(rl)}, l * {_text(lr)} + r * {_text(rr)})"
        return f"({block})", 0, Fate(id, type, "exact", "gains from channels to channels")
    short = response.shortened()
    count = short.taps.shape[-1]
    if count <= MOST_TAPS and short.is_diagonal:
        rows = ", ".join(f"fi.fir(({', '.join(map(_text, _two(short.taps[side, side])))}))" for side in (0, 1))
        return f"({rows})", short.origin, Fate(id, type, "exact", f"FIR of {count} taps")
    if isinstance(processor, Equalizer):
        strip = fit_equalizer(result, id)
        stages = [f"*({_text(10 ** (strip.level_db / 20))})"]
        stages += [f"fi.tf2({', '.join(map(_text, biquad(band, processor.sample_rate)))})" for band in strip.bands]
        one = " : ".join(stages)
        how = f"{len(strip.bands)} bells and shelves; RMS over frequencies"
        return f"({one}), ({one})", 0, Fate(id, type, "fitted", how, strip.residual_db)
    dry = 1 - result.bank.dry_wet()[id]
    how = f"its {count} taps are more than Faust compiles; only the dry share passes"
    return f"*({_text(dry)}), *({_text(dry)})", 0, Fate(id, type, "left out", how)


def _knee(result: Result, id: str, processor: KneeProcessor) -> str:
    parameters = {name: value.double() for name, value in result.bank.select(processor.name, [id]).items()}
    with torch.no_grad():
        physical = {name: float(value[0]) for name, value in processor.physical(parameters).items()}
    ranges = {"threshold_db": (-140, 40), "ratio": (1, 1000), "knee_db": (0, 80), "smoothing_ms": (0.001, 60_000)}
    sliders = {name: _slider(id, name, physical[name], *limits) for name, limits in ranges.items()}
    wet = _slider(id, "wet", result.bank.dry_wet()[id], 0, 1)
    slope = f"1 / {sliders['ratio']} - 1" if processor.sign == 1 else f"1 - {sliders['ratio']}"
    exponent = 0.5 if processor.config.dynamics_form == "physical" else 1.0
    fixed = f"{processor.sign}, {_text(processor.config.dynamics_energy_floor)}, {exponent}, ({slope})"
    return f"knee({fixed}, {sliders['threshold_db']}, {sliders['knee_db']}, {sliders['smoothing_ms']}, {wet})"


def _slider(id: str, name: str, value: float, low: float, high: float) -> str:
    inside = min(max(value, low), high)
    return f'hslider("{safe(id)}_{name}", {_text(inside)}, {low}, {high}, 0.000001)'


def biquad(band: Band, sample_rate: int) -> tuple[float, ...]:
    """b0, b1, b2, a1, a2 of a band (Bristow-Johnson, Audio EQ Cookbook)."""
    a, w = 10 ** (band.gain_db / 40), 2 * math.pi * band.hz / sample_rate
    cos, alpha = math.cos(w), math.sin(w) / (2 * band.q)
    if band.shape == "bell":
        b, c = (1 + alpha * a, -2 * cos, 1 - alpha * a), (1 + alpha / a, -2 * cos, 1 - alpha / a)
    else:
        sign, root = 1 if band.shape == "low_shelf" else -1, 2 * math.sqrt(a) * alpha
        up, down = (a + 1) + sign * (a - 1) * cos, (a + 1) - sign * (a - 1) * cos
        turn = (a - 1) + sign * (a + 1) * cos, (a - 1) - sign * (a + 1) * cos
        b = a * (down + root), 2 * a * sign * turn[1], a * (down - root)
        c = up + root, -2 * sign * turn[0], up - root
    return tuple(value / c[0] for value in (*b, c[1], c[2]))


def _two(taps: np.ndarray) -> list[float]:
    """A list of one would be no list in Faust."""
    return [*taps.tolist(), *([0.0] if len(taps) == 1 else [])]


def _text(value: float) -> str:
    return f"({value:.9g})"
