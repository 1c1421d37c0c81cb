"""Draws loss against time, the published schedule beside ours, from what `convergence.py --json FILE` has written.

    python benchmarks/loss_curves.py FILE [FILE ...] -o docs/figures/loss-curves.png

One panel for each file, one line for each seed. Of ours every length is a run of its own, since its schedule ends
there.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

OURS, PUBLISHED = "tab:blue", "tab:gray"
SPREAD = 1.6
"""The axis ends at so many times the lowest loss: both schedules start far above it."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    options = parser.parse_args()
    songs = [json.loads(file.read_text()) for file in options.files]
    figure = Figure(figsize=(3.6 * len(songs), 3.4), layout="constrained")
    for ax, song in zip(figure.subplots(1, len(songs), squeeze=False)[0], songs, strict=True):
        _draw(ax, song)
    figure.savefig(options.output, dpi=90)


def _draw(ax: Axes, song: dict[str, Any]) -> None:
    runs = song["runs"]
    lengths = ", ".join(sorted({length for run in runs for length in run["ours"]}, key=int))
    for number, run in enumerate(runs):
        label = f"published, to {run['published'][-1]['step']:.0f} steps" if number == 0 else None
        ax.plot(*_points(run["published"]), color=PUBLISHED, linewidth=1, marker=".", markersize=4, label=label)
    for number, run in enumerate(runs):
        for length, curve in run["ours"].items():
            label = f"ours, to {lengths} steps" if number == 0 and length == min(run["ours"], key=int) else None
            ax.plot(*_points(curve), color=OURS, linewidth=0.8, label=label)
            ax.plot(*_points(curve[-1:]), color=OURS, marker="o", markersize=4)
    lowest = min(
        point["loss"] for run in runs for curve in (run["published"], *run["ours"].values()) for point in curve
    )
    ax.set(title=song["song"], xlabel="seconds", ylabel="loss over the song", xscale="log")
    ax.set_ylim(0.98 * lowest, SPREAD * lowest)
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.legend(fontsize="small")
    ax.grid(alpha=0.3)


def _points(curve: list[dict[str, float]]) -> tuple[list[float], list[float]]:
    later = [point for point in curve if point["step"]]
    return [point["seconds"] for point in later], [point["loss"] for point in later]


if __name__ == "__main__":
    main()
