"""What one processor does as a matplotlib figure: an equaliser's curve, a compressor's, decay times, taps, the stereo
image. They are the report's charts, for print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from mixgraph.audio.song_file import suggestion
from mixgraph.draw.graph import GREY, INK, LINE
from mixgraph.errors import ResultError
from mixgraph.fit.problem import Problem
from mixgraph.report.charts import Axis, Chart, Mark
from mixgraph.report.hearing import Heard, hear
from mixgraph.report.recipe import describe_steps, node_name
from mixgraph.result.result import Result

if TYPE_CHECKING:
    from mixgraph.audio.song import Song

INCHES: Final = (3.4, 2.4)
"""A column of a paper is 3.4 wide."""
COLORS: Final = {"words": "#d55e00", "right": "#d55e00", "side": "#d55e00", "left": "#0072b2", "mid": "#0072b2"}
"""Of Okabe and Ito, as those of processor types are; what else there is has ink."""
HEARD: Final = ("behind", "words")
"""What comes in, and a curve in words, which count where something does."""
DASHED: Final = ("words", "unity", "right", "side")
"""Curves can be told apart without colours."""


def processor_figure(result: Result, node: str, song: Song | None = None) -> Figure:
    """The charts of one processor of the graph, by its id such as `track:bass/equalizer`, side by side.

    With the `song` they have what comes in behind them: its spectrum, or how often each level occurs. Raises
    `ResultError` where the graph has no such processor.
    """
    ids = [processor.id for processor in result.graph.processors]
    if node not in ids:
        raise ResultError(f"'{node}': the graph has no such processor; {suggestion(node, ids, 'its processors')}")
    heard = dict.fromkeys(ids, Heard())
    if song is not None:
        heard = hear(Problem(song, result.config, torch.device("cpu")), result)
    description = describe_steps(result, heard, {})[node].description
    charts, words = description.charts, description.words
    if song is None:  # the words would tell of what was heard
        words = result.processors[result.graph.node(node).type].summary(result.physical()[node])
    figure = Figure(figsize=(INCHES[0] * max(1, len(charts)), INCHES[1]), layout="constrained")
    place = node_name(result.graph, node.rpartition("/")[0])
    figure.suptitle(f"{place}: {words}", fontsize=8, wrap=True)
    for ax, chart in zip(figure.subplots(1, max(1, len(charts)), squeeze=False)[0], charts, strict=False):
        draw_chart(ax, chart, heard=song is not None)
    return figure


def draw_chart(ax: Axes, chart: Chart, *, heard: bool = True) -> None:
    """Draws a chart of the report into axes; what depends on what comes in only if that was `heard`."""
    for mark in chart.marks:
        if heard or mark.style not in HEARD:
            _draw_mark(ax, mark, chart.y.low)
    _set_axis(ax, "x", chart.x)
    _set_axis(ax, "y", chart.y)
    ax.set_title(chart.title, fontsize=8)
    ax.tick_params(labelsize=7)
    ax.grid(color=GREY, linewidth=0.4)
    ax.set_axisbelow(True)
    if ax.get_legend_handles_labels()[1]:
        ax.legend(fontsize=6, frameon=False)


def _draw_mark(ax: Axes, mark: Mark, floor: float) -> None:
    x, y, color = np.asarray(mark.x, float), np.asarray(mark.y, float), COLORS.get(mark.style, INK)
    label, dashes = mark.label or "_", "--" if mark.style in DASHED else "-"
    if mark.kind == "area":
        ax.fill_between(x, floor, y, color=GREY, linewidth=0, label=label)
    elif mark.kind == "stems":
        ax.vlines(x, floor, y, color=color, linestyle=dashes, linewidth=1.2, label=label)
    elif mark.kind == "dots":
        ax.plot(x, y, ".", color=color, markersize=2, label=label)
    else:
        style = "steps-post" if mark.kind == "steps" else "default"
        faint = mark.style == "unity"
        ax.plot(x, y, dashes, color=LINE if faint else color, lw=0.8 if faint else 1.2, drawstyle=style, label=label)


def _set_axis(ax: Axes, which: str, axis: Axis) -> None:
    places, texts = zip(*axis.ticks, strict=True) if axis.ticks else ((), ())
    ax.set(**{f"{which}scale": "log" if axis.log else "linear"})
    ax.set(**{f"{which}lim": (axis.low, axis.high), f"{which}label": axis.label})
    ax.set(**{f"{which}ticks": places, f"{which}ticklabels": texts})
    getattr(ax, f"{which}axis").set_minor_locator(NullLocator())
    getattr(ax, f"{which}axis").label.set_size(7)
