"""The numbers of a search: losses, what was pruned, time and memory. They become `metrics.json`."""

from __future__ import annotations

import resource
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

from mixgraph.errors import ResultError
from mixgraph.graph.graph import Graph

SHOWN: Final = (
    *(f"loss.{stage}.{kind}" for stage in ("plain_sum", "console", "pruned") for kind in ("target", "published")),
    "pruning_ratio.total",
    "processors.initial.total",
    "processors.kept.total",
)


def count_processors(graph: Graph) -> dict[str, Any]:
    """`total` and `by_type` numbers of processors."""
    by_type = Counter(node.type for node in graph.processors)
    return {"total": by_type.total(), "by_type": dict(sorted(by_type.items()))}


def pruning_ratio(initial: dict[str, Any], kept: dict[str, Any]) -> dict[str, Any]:
    """Pruned over initial processors (paper, section 5), in total and by type; 0 where there were none."""

    def ratio(before: int, after: int) -> float:
        return (before - after) / before if before else 0.0

    by_type = {kind: ratio(count, kept["by_type"].get(kind, 0)) for kind, count in initial["by_type"].items()}
    return {"total": ratio(initial["total"], kept["total"]), "by_type": by_type}


def require_metrics(metrics: dict[str, Any], file: Path) -> None:
    """Raises `ResultError` unless the numbers that every result is shown with are there."""
    for place in SHOWN:
        value: Any = metrics
        for key in place.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if not isinstance(value, int | float):
            raise ResultError(f"{file}: '{place}' is {value!r}, expected a number; run the search again")


def peak_memory_mb() -> float:
    """The largest resident memory this process has had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
