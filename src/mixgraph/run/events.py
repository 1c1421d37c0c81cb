"""What a search tells those who watch it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


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
    step_seconds: float | None = None
    round_seconds: float = 0.0
    _last: float = 0.0

    def lap(self) -> float:
        """Seconds since the last lap; every stage begins with one."""
        last, self._last = self._last, time.perf_counter()
        return self._last - last

    def step_done(self) -> None:
        """Notes the cost of a training step, smoothed; the first one warms up and does not count."""
        cost, known = self.lap(), self.step_seconds
        self.step_seconds = 0.0 if known is None else 0.9 * known + 0.1 * cost if known else cost
        self.steps_left -= 1

    def round_done(self) -> None:
        """Notes the cost of a round of trials."""
        self.round_seconds = self.lap()
        self.rounds_left -= 1

    @property
    def seconds_left(self) -> float | None:
        """None until the second step."""
        if not self.step_seconds:
            return None
        round_seconds = self.round_seconds or 40 / 3 * self.trial_segments * self.step_seconds
        return self.steps_left * self.step_seconds + self.rounds_left * round_seconds
