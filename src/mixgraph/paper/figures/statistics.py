"""Figure 6: statistics of pruned graphs: how much of each type is left, where, and how long the chains are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mixgraph.graph.palette import color_of
from mixgraph.paper.studies import Study, pruned_of, require
from mixgraph.processors.bank import chain_types


def draw(studies: Sequence[Study]) -> Figure:
    """Pruning ratio by type, share kept on tracks and on subgroups, and processors left per track and subgroup."""
    found = require(pruned_of(studies), "a search with pruning")
    figure = Figure(figsize=(11, 3.4), layout="constrained")
    ratios, places, lengths = figure.subplots(1, 3)
    types = [name for name in chain_types("ecnsgdr") if _ratios(found, name)]
    _draw_ratios(ratios, found, types)
    _draw_places(places, found, types)
    _draw_lengths(lengths, found)
    figure.suptitle(f"{len(found)} pruned graphs")
    return figure


def share_kept(study: Study, kind: str, place: str) -> tuple[int, int]:
    """How many processors of a type are left, and how many there were, on `track` or `subgroup`."""
    counts = (
        sum(name.startswith(f"{place}:") for name in graph.ids_of(kind))
        for graph in (study.result.graph, study.result.console)
    )
    kept, initial = counts
    return kept, initial


def chain_lengths(study: Study, place: str) -> list[int]:
    """How many processors are left on every track, or on every subgroup."""
    heads = [node.id for node in study.result.graph.nodes if not node.is_processor and node.id.startswith(f"{place}:")]
    left = Counter(node.id.rpartition("/")[0] for node in study.result.graph.processors)
    return [left[head] for head in heads]


def _ratios(studies: Sequence[Study], kind: str) -> list[float]:
    by_type = (study.result.metrics["pruning_ratio"]["by_type"] for study in studies)
    return [ratio[kind] for ratio in by_type if kind in ratio]


def _draw_ratios(ax: Axes, studies: Sequence[Study], types: Sequence[str]) -> None:
    boxes = ax.boxplot([_ratios(studies, kind) for kind in types], patch_artist=True, medianprops={"color": "black"})
    for box, kind in zip(boxes["boxes"], types, strict=True):
        box.set_facecolor(color_of(kind))
    _name_types(ax, types, range(1, len(types) + 1))
    ax.set(ylim=(-0.02, 1.02), ylabel="pruning ratio", title="by type")


def _draw_places(ax: Axes, studies: Sequence[Study], types: Sequence[str]) -> None:
    for offset, place, hatch in ((-0.2, "track", ""), (0.2, "subgroup", "///")):
        pairs = [[share_kept(study, kind, place) for study in studies] for kind in types]
        shares = [sum(kept for kept, _ in some) / max(1, sum(initial for _, initial in some)) for some in pairs]
        colors = [color_of(kind) for kind in types]
        where = [index + offset for index in range(len(types))]
        ax.bar(where, shares, 0.38, color=colors, hatch=hatch, edgecolor="white", label=f"on {place}s")
    _name_types(ax, types, range(len(types)))
    ax.set(ylim=(0, 1.02), ylabel="share kept", title="by place")
    ax.legend(frameon=False, fontsize="small")


def _draw_lengths(ax: Axes, studies: Sequence[Study]) -> None:
    longest = max((max(chain_lengths(study, "track"), default=0) for study in studies), default=0)
    longest = max(longest, *(max(chain_lengths(study, "subgroup"), default=0) for study in studies))
    for offset, place, color in ((-0.2, "track", "#0072b2"), (0.2, "subgroup", "#e69f00")):
        lengths = Counter(length for study in studies for length in chain_lengths(study, place))
        shares = [lengths[length] / max(1, lengths.total()) for length in range(longest + 1)]
        ax.bar([length + offset for length in range(longest + 1)], shares, 0.38, color=color, label=f"{place}s")
    ax.set(xlabel="processors left", ylabel="share", title="length of chains", xticks=range(longest + 1))
    ax.legend(frameon=False, fontsize="small")


def _name_types(ax: Axes, types: Sequence[str], places: Sequence[int]) -> None:
    ax.set_xticks(list(places), [kind.replace("_", " ") for kind in types], rotation=40, ha="right", fontsize="small")
