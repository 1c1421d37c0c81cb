"""How good the match is: the loss in time, per channel and per band, of the plain sum and of the found mix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from mixgraph.dsp.mel import mel_bank
from mixgraph.dsp.units import DB_PER_NEPER
from mixgraph.fit.evaluate import evaluation_starts
from mixgraph.fit.problem import Problem
from mixgraph.loss.mix_loss import Features
from mixgraph.result.result import Result

PARTS: Final = ("total", "left_right", "mid", "side")
MID_SIDE: Final = slice(2, 4)  # of the features' channels: left, right, mid, side


@dataclass(frozen=True)
class Match:
    """The distance of two mixes from a third. What is compared of a segment begins at `seconds`, that of the last one
    ends at `end_seconds`.

    `losses[mix]` is `(segment, part)` in the order of `PARTS`, by the configured convention; their mean over segments
    is what metrics say. `errors_db[mix]` is the mean absolute difference `(mid or side, band)` around `bands_hz`.
    `mix` is `plain_sum` or `pruned`.
    """

    seconds: np.ndarray
    end_seconds: float
    losses: dict[str, np.ndarray]
    bands_hz: np.ndarray
    errors_db: dict[str, np.ndarray]


@torch.no_grad()
def measure_match(problem: Problem, result: Result) -> Match:
    """Compares plain sum and found mix with the song's mix over all evaluation segments."""
    config, rate = problem.config, problem.config.audio.sample_rate
    renderer, bank, starts = problem.renderer(result.graph), result.bank.to(problem.device), evaluation_starts(problem)
    # The finest resolution tells the most bands apart.
    finest = max(range(len(config.loss.fft_sizes)), key=config.loss.fft_sizes.__getitem__)
    losses: dict[str, list[list[float]]] = {"plain_sum": [], "pruned": []}
    errors: dict[str, Tensor | float] = {"plain_sum": 0.0, "pruned": 0.0}
    for start in starts:
        sources, target = problem.sources(start), problem.target(start)
        mixes = {"plain_sum": sources.sum(0), "pruned": renderer.render(sources, bank).output}
        for name, mix in mixes.items():
            features = problem.mix_loss.features(mix)
            terms = problem.mix_loss.compare(estimate=features, target=target)
            losses[name].append([getattr(terms, part).item() for part in PARTS])
            errors[name] = errors[name] + _error_db(features, target, finest) / len(starts)
    bank_rows = mel_bank(rate, config.loss.fft_sizes[finest], config.loss.mel_bands)
    bank_rows = bank_rows[bank_rows.any(axis=1)]
    hz = np.fft.rfftfreq(config.loss.fft_sizes[finest], 1 / rate)
    return Match(
        seconds=np.array(starts) / rate + config.loss.warm_up_seconds,
        end_seconds=(starts[-1] + config.segment_samples) / rate,
        losses={name: np.array(rows) for name, rows in losses.items()},
        bands_hz=bank_rows @ hz / bank_rows.sum(axis=1),
        errors_db={name: torch.as_tensor(error).cpu().numpy() for name, error in errors.items()},
    )


def _error_db(estimate: Features, target: Features, resolution: int) -> Tensor:
    """Mean absolute level difference `(mid or side, band)` of one segment."""
    difference = estimate.log_mel[resolution][MID_SIDE] - target.log_mel[resolution][MID_SIDE]
    return DB_PER_NEPER * difference.abs().mean(1)
