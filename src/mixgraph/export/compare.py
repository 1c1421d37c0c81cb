"""What the program that an export is for makes of it, beside our own render."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
import torch

from mixgraph.audio.song import Song
from mixgraph.console import build_console
from mixgraph.errors import ConfigError
from mixgraph.export.base import EXPORTS, RenderedExport, Source
from mixgraph.fit.evaluate import evaluate, evaluation_starts
from mixgraph.fit.problem import Problem
from mixgraph.processors.bank import ParameterBank


@dataclass(frozen=True)
class Comparison:
    """Of their render with ours: the energy of the difference, in dB of that of ours, and the audio loss L_a."""

    difference_db: float
    loss: float


def compare_export(source: Source, format: str, folder: Path) -> Comparison:
    """Renders an export in its own program; over the whole song, at the rate that this works at.

    Raises `ConfigError` where no program renders this format, or it is not installed.
    """
    theirs, rate = check_comparable(format)().render(folder, source)
    ours = source.result.render(source.song, device=source.device)
    wanted = _resampled(ours, source.sample_rate, rate)
    count = min(theirs.shape[1], wanted.shape[1])
    difference = np.square(theirs[:, :count].astype(np.float64) - wanted[:, :count]).sum()
    level = np.square(wanted, dtype=np.float64).sum()
    difference_db = 10 * np.log10(max(difference, 1e-30) / max(level, 1e-30))
    return Comparison(float(difference_db), _loss(source, _resampled(theirs, rate, source.sample_rate), ours))


def check_comparable(format: str) -> type[RenderedExport]:
    """The format, where some program renders it; `ConfigError` where none does."""
    kind = EXPORTS[format]
    if not issubclass(kind, RenderedExport):
        able = ", ".join(name for name, kind in EXPORTS.items() if issubclass(kind, RenderedExport))
        raise ConfigError(f"'{format}' has no program that renders it here; to be compared are {able}")
    return kind


def _resampled(signal: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    return signal if rate == wanted else soxr.resample(signal.T, rate, wanted, quality="VHQ").T


def _loss(source: Source, theirs: np.ndarray, ours: np.ndarray) -> float:
    """The loss of a graph that passes their render through, where ours is the mix to be matched."""
    song = Song.from_arrays("render", {"render": theirs}, ours, source.sample_rate)
    problem = Problem(song, source.result.config, torch.device(source.device))
    passing = build_console(song.tracks, {}, ())
    return evaluate(problem, passing, ParameterBank({}, {}), evaluation_starts(problem)).target.total
