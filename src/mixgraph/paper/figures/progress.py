"""Figure 3: pruning ratio and mean dry/wet weight by processor type, over the steps of a search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

from matplotlib.figure import Figure

from mixgraph.graph.palette import color_of
from mixgraph.paper.studies import Study, pruned_of, require

Curve = tuple[list[int], list[float]]


@final
@dataclass
class Progress:
    """Curves over all training steps of a search: pruning ratios by type and in total, mean dry/wet by type."""

    ratios: dict[str, Curve] = field(default_factory=dict)
    weights: dict[str, Curve] = field(default_factory=dict)
    rounds: list[int] = field(default_factory=list)


def draw(studies: Sequence[Study]) -> Figure:
    """One column for each song that was pruned, up to three: ratios above, weights below."""
    shown = {study.song: study for study in reversed(require(pruned_of(studies), "a search with pruning"))}
    columns = sorted(shown.values(), key=lambda study: study.song)[:3]
    figure = Figure(figsize=(1 + 3.2 * len(columns), 4.6), layout="constrained")
    axes = figure.subplots(2, len(columns), squeeze=False, sharex="col", sharey="row")
    for column, study in zip(axes.T, columns, strict=True):
        progress = read_progress(study.history(), study.result.metrics["processors"]["initial"])
        for ax, curves in zip(column, (progress.ratios, progress.weights), strict=True):
            for kind, (steps, values) in curves.items():
                look = {"color": "black", "linewidth": 1.6} if kind == "total" else {"color": color_of(kind)}
                ax.plot(steps, values, drawstyle="steps-post" if ax is column[0] else "default", label=kind, **look)
            for step in progress.rounds:
                ax.axvline(step, color="0.85", linewidth=0.8, zorder=0)
            ax.set_ylim(-0.02, 1.02)
        column[0].set_title(study.song)
        column[1].set_xlabel("training step")
    axes[0, 0].set_ylabel("pruning ratio")
    axes[1, 0].set_ylabel("mean dry/wet weight")
    labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(*labels, loc="outside right center", frameon=False, fontsize="small")
    return figure


def read_progress(history: Sequence[Mapping[str, Any]], initial: Mapping[str, Any]) -> Progress:
    """The curves that a history tells; `initial` are the processors of the console, in total and by type."""
    counts = {"total": initial["total"]} | dict(initial["by_type"])
    gone = dict.fromkeys(counts, 0)
    progress = Progress({kind: ([0], [0.0]) for kind in counts})
    steps, rounds = 0, set()
    for line in history:
        if line["event"] == "step":
            steps += 1
            for kind, weight in line.get("dry_wet", {}).items():
                curve = progress.weights.setdefault(kind, ([], []))
                curve[0].append(steps)
                curve[1].append(weight)
        elif line["event"] == "trial":
            if line["round"] not in rounds:
                rounds.add(line["round"])
                progress.rounds.append(steps)
            if line["accepted"]:
                for candidate in line["candidates"]:
                    for kind in ("total", candidate.rpartition("/")[2].partition(" ")[0]):
                        gone[kind] += 1
                for kind, (at, values) in progress.ratios.items():
                    at.append(steps)
                    values.append(gone[kind] / counts[kind])
    for at, values in progress.ratios.values():
        at.append(steps)
        values.append(values[-1])
    return progress
