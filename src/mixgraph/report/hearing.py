"""What each processor is given to work with, heard on segments of the song: levels, spectra, gain changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import torch
from torch import Tensor

from mixgraph.dsp.envelope import one_pole
from mixgraph.fit.evaluate import evaluation_starts
from mixgraph.fit.problem import Problem
from mixgraph.processors.base import DynamicsProcessor
from mixgraph.processors.knee import KneeProcessor
from mixgraph.render.reference import ReferenceRenderer
from mixgraph.result.result import Result

SEGMENTS: Final = 24
FFT_SIZE: Final = 4_096
LEVELS_DB: Final = np.arange(-90.0, 12.5, 1.0)
"""Edges of the histogram of levels."""
QUIET: Final = 1e-9  # energy: nothing is heard of what a processor does below -90 dB


@dataclass
class Heard:
    """Sums over the song. `spectrum` is the power `(bin,)` of what comes in at `FFT_SIZE`; `levels` counts envelope
    levels in `LEVELS_DB`, `gain_db` is energy-weighted (both of dynamics processors only)."""

    spectrum: np.ndarray = field(default_factory=lambda: np.zeros(FFT_SIZE // 2 + 1))
    levels: np.ndarray = field(default_factory=lambda: np.zeros(len(LEVELS_DB) - 1))
    energy: float = 0.0
    weighted_gain_db: float = 0.0
    gain_range_db: tuple[float, float] = (0.0, 0.0)

    @property
    def gain_db(self) -> float:
        """The mean gain change of dynamics, where the signal is."""
        return self.weighted_gain_db / self.energy if self.energy else 0.0


@torch.no_grad()
def hear(problem: Problem, result: Result) -> dict[str, Heard]:
    """What every processor of the graph is given, on up to `SEGMENTS` evaluation segments spread over the song."""
    starts = evaluation_starts(problem)
    heard = {node.id: Heard() for node in result.graph.processors}
    renderer = ReferenceRenderer(result.graph, problem.processors, problem.song.tracks)
    bank, weights = result.bank.to(problem.device), result.bank.dry_wet()
    ids = [node.id for node in result.graph.nodes]
    for start in starts[:: -(-len(starts) // SEGMENTS)]:
        sources = dict(zip(problem.song.tracks, problem.sources(start), strict=True))
        signals = renderer.node_outputs(sources.__getitem__, bank, ids)
        for node in result.graph.processors:
            signal = torch.stack([signals[before] for before in result.graph.predecessors(node.id)]).sum(0)
            found, processor = heard[node.id], problem.processors[node.type]
            found.spectrum += _power_spectrum(signal)
            if isinstance(processor, DynamicsProcessor):
                _hear_gain(found, processor, signal, bank.select(node.type, [node.id]), weights[node.id])
    return heard


def _power_spectrum(signal: Tensor) -> np.ndarray:
    if signal.shape[-1] < FFT_SIZE:
        signal = torch.nn.functional.pad(signal, (0, FFT_SIZE - signal.shape[-1]))
    window = torch.hann_window(FFT_SIZE, device=signal.device)
    frames = signal.unfold(-1, FFT_SIZE, FFT_SIZE // 2) * window
    return torch.fft.rfft(frames).abs().square().sum((0, 1)).double().cpu().numpy()


def _hear_gain(
    heard: Heard, processor: DynamicsProcessor, signal: Tensor, parameters: Mapping[str, Tensor], wet: float
) -> None:
    energy = signal.square().mean(0)
    gain = 1 - wet + wet * processor.gain(signal[None], parameters)[0, 0]
    gain_db = 20 * torch.log10(gain.clamp(min=1e-6))
    heard.energy += float(energy.double().sum())
    heard.weighted_gain_db += float((energy.double() * gain_db).sum())
    audible = gain_db[energy > QUIET]
    if len(audible):
        lowest, highest = heard.gain_range_db
        heard.gain_range_db = min(lowest, float(audible.min())), max(highest, float(audible.max()))
    if isinstance(processor, KneeProcessor):
        envelope = one_pole(energy[None], processor.knee(parameters).smoothing)[0]
        level_db = 10 * torch.log10(envelope.clamp(min=1e-12))
        counts, _ = np.histogram(level_db.cpu().numpy(), LEVELS_DB)
        heard.levels += counts


def third_octaves_db(heard: Heard, sample_rate: int, centres_hz: np.ndarray) -> np.ndarray:
    """Levels of what comes in, in third octaves around `centres_hz`, relative to the loudest one."""
    hz = np.fft.rfftfreq(FFT_SIZE, 1 / sample_rate)
    half = 2 ** (1 / 6)
    power = np.array([heard.spectrum[(hz >= centre / half) & (hz < centre * half)].sum() for centre in centres_hz])
    return 10 * np.log10(np.maximum(power, 1e-12) / max(power.max(), 1e-12))
