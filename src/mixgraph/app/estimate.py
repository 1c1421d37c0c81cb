"""How long a search will take, before it begins: from measured costs, scaled by what searches here have taken.

The costs are those of searches of three songs of 40 seconds with 10, 16 and 33 strips (chains of processors of tracks
and subgroups) on one core of an Intel Xeon at 2.3 GHz.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from typing import Final, NamedTuple

from mixgraph.config import SearchConfig

STEP_SECONDS: Final = (0.04, 0.0125)
"""Of a training step: alone, and per strip."""

SEGMENT_SECONDS: Final = (0.03, 0.0035)
"""Of rendering a segment and its loss: alone, and per strip."""

FULL_CHAIN: Final = 7
FINE_TUNING: Final = 0.6
"""Share of a step's cost that is left once most processors are gone."""

TRIAL: Final = 0.3
"""Share of a render that a trial costs, for it computes only what changed."""

UNFUSED: Final = 1.3
"""How much longer everything takes without the renderer's passes (docs/performance.md)."""

UNSURE: Final = (0.5, 2.0)
UNSURE_WHEN_SCALED: Final = (0.7, 1.4)


class Span(NamedTuple):
    """From so many seconds to so many."""

    least: float
    most: float


def expected_seconds(config: SearchConfig, *, strips: int, seconds: float) -> float:
    """Seconds that a search of a song of that length with that many strips should take on the machine above."""
    fit, prune = config.fit, config.prune
    # A gain costs nearly nothing; the more of the other processors there are, the more a strip costs.
    chains = strips * max(0.05, (len(config.console.chain) - 1) / (FULL_CHAIN - 1))
    length = config.audio.segment_seconds * config.audio.sample_rate / (3.8 * 30_000)
    length *= 1.0 if config.render.fuse_linear else UNFUSED
    step, segment = (length * (alone + each * chains) for alone, each in (STEP_SECONDS, SEGMENT_SECONDS))
    segments = math.ceil(max(seconds, config.audio.segment_seconds) / prune.evaluation_hop_seconds)
    judged = min(segments, prune.trial_segments or segments)
    processors = strips * len(config.console.chain)
    tried_singly = prune.rounds // prune.brute_force_every if prune.strategy in ("hybrid", "brute_force") else 0
    trials = prune.rounds * (15 + 0.1 * processors) + tried_singly * processors / 2
    steps = fit.console_steps + FINE_TUNING * prune.rounds * prune.fine_tune_steps
    return steps * step + trials * judged * TRIAL * segment + 10 * segments * segment


def pace(searches: Iterable[tuple[float, float]]) -> float | None:
    """How much longer searches took here than expected: the median ratio of (taken, expected); None without any."""
    ratios = [taken / expected for taken, expected in searches if taken > 0 and expected > 0]
    return statistics.median(ratios) if ratios else None


def span_of(expected: float, pace: float | None) -> Span:
    """An honest answer: from, to."""
    low, high = UNSURE if pace is None else UNSURE_WHEN_SCALED
    return Span(low * expected * (pace or 1.0), high * expected * (pace or 1.0))
