"""How the search went: the training loss over its steps, and how many processors were left."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from mixgraph.errors import ResultError

FILE: Final = "history.jsonl"
WINDOW: Final = 15  # steps of the running mean: single steps hear single segments


@dataclass(frozen=True)
class Trace:
    """Per training step its audio loss, also smoothed; and, at steps `pruned_at`, the processors `left` from there."""

    loss: np.ndarray
    smooth: np.ndarray
    pruned_at: np.ndarray
    left: np.ndarray


def read_history(folder: Path) -> list[dict[str, Any]]:
    """The lines of a result's history, none where it has no such file; raises `ResultError` at a damaged one."""
    path = folder / FILE
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise ResultError(f"{path}: cannot be read as JSON lines ({error}); remove it or search again") from None
    if not all(isinstance(line, dict) for line in lines):
        raise ResultError(f"{path}: holds a line that is no object; remove it or search again")
    return lines


def trace_of(history: Iterable[Mapping[str, Any]], initial: int) -> Trace | None:
    """The course of a search that began with `initial` processors; None without training steps."""
    loss: list[float] = []
    pruned_at, left = [0], [initial]
    for line in history:
        match line:
            case {"event": "step", "audio": float(audio)}:
                loss.append(audio)
            case {"event": "trial", "accepted": True, "candidates": list(candidates)}:
                pruned_at.append(len(loss))
                left.append(left[-1] - len(candidates))
    if not loss:
        return None
    ends = [*np.flatnonzero(np.diff(pruned_at)), len(pruned_at) - 1]  # the last of those at the same step
    return Trace(np.array(loss), _running_mean(np.array(loss)), np.array(pruned_at)[ends], np.array(left)[ends])


def _running_mean(values: np.ndarray) -> np.ndarray:
    ones = np.ones(min(WINDOW, len(values)))
    return np.convolve(values, ones, "same") / np.convolve(np.ones(len(values)), ones, "same")
