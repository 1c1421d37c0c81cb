"""What a search tells those who watch it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True)
class Progress:
    """Where a search stands. `stage`: console, prune, fine_tune or finish; `step` of `steps` in it (trials)."""

    stage: str
    round: int
    rounds: int
    step: int
    steps: int
    loss: float
    processors_left: int
    seconds_left: float | None


STEPS_PER_ROUND: Final = 13

Watcher = Callable[[Progress], None]


class Stopped(Exception):
    """The user asked to stop: everything done so far is on disk and `--resume` goes on from there."""


@dataclass
class Forecast:
    """Estimates the seconds left from what steps and rounds of trials have cost so far.

    Until a round of trials has been seen, it is taken to cost some forty trials, a third of a step per segment each.
    Rounds get cheaper as processors go, so the estimate errs on the long side.
    """

    steps_left: int
    rounds_left: int
    trial_segments: int
    step_seconds: float = 0.0
    round_seconds: float = 0.0
    _last: float = field(default_factory=time.perf_counter)
    _warm: bool = False

    def mark(self) -> None:
        """Starts the clock of the next step."""
        self._last = time.perf_counter()

    def step_done(self) -> None:
        """Notes the cost of a training step, smoothed."""
        now = time.perf_counter()
        cost, self._last = now - self._last, now
        if self._warm:
            self.step_seconds = cost if not self.step_seconds else 0.9 * self.step_seconds + 0.1 * cost
        self._warm = True
        self.steps_left -= 1

    def round_done(self, seconds: float) -> None:
        """Notes the cost of a round of trials."""
        self.round_seconds = seconds
        self.rounds_left -= 1
        self.mark()

    @property
    def seconds_left(self) -> float | None:
        """None until the second step: the first one warms up."""
        if not self.step_seconds:
            return None
        round_seconds = self.round_seconds or STEPS_PER_ROUND * self.trial_segments * self.step_seconds
        return self.steps_left * self.step_seconds + self.rounds_left * round_seconds
