"""One round of pruning: trials mask candidates and are kept if the loss stays within tolerance (paper, section 5)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Candidates = frozenset[str]
Proposals = Generator[Candidates, bool, None]


@dataclass(frozen=True)
class Trial:
    """One trial: the processors masked on top of those masked before, the loss with them, and the verdict."""

    candidates: Candidates
    loss: float
    accepted: bool

    def to_json(self) -> dict[str, Any]:
        """As a line of the history."""
        return {"candidates": sorted(self.candidates), "loss": self.loss, "accepted": self.accepted}

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> Trial:
        """Inverse of `to_json`."""
        return cls(frozenset(line["candidates"]), line["loss"], line["accepted"])


@dataclass(frozen=True)
class Outcome:
    """A finished round: the processors to remove, and all trials."""

    removed: Candidates
    trials: tuple[Trial, ...]


class Losses(Protocol):
    """What trials cost; `mixgraph.fit.trials` computes it from audio."""

    def first(self) -> float:
        """The loss with nothing masked."""
        ...

    def loss_with(self, candidates: Candidates, *, masked: Candidates, loss: float, limit: float) -> float:
        """The loss with `candidates` masked on top of `masked`, whose `loss` is known; `limit` is where it fails."""
        ...


def prune_round(
    proposals: Proposals,
    *,
    losses: Losses,
    tolerance: float,
    recorded: Sequence[Trial] = (),
    on_trial: Callable[[Trial], None] = lambda trial: None,
) -> Outcome:
    """Runs a strategy's proposals to the end; masks accumulate.

    A trial is kept when its loss is below L_min + tolerance, where L_min starts as the loss at the start and falls with
    every lower value seen. `recorded` trials (of a run that was broken off) are replayed without evaluation.
    """
    replay: Iterator[Trial] = iter(recorded)
    trials: list[Trial] = []
    masked: Candidates = frozenset()
    now = lowest = losses.first()
    candidates = next(proposals, None)
    while candidates is not None:
        known = next(replay, None)
        if known is not None and known.candidates == candidates:
            loss = known.loss
        else:
            loss = losses.loss_with(candidates, masked=masked, loss=now, limit=lowest + tolerance)
        trial = Trial(candidates, loss, loss < lowest + tolerance)
        lowest = min(lowest, loss)
        if trial.accepted:
            masked, now = masked | candidates, loss
        trials.append(trial)
        on_trial(trial)
        try:
            candidates = proposals.send(trial.accepted)
        except StopIteration:
            candidates = None
    return Outcome(masked, tuple(trials))
