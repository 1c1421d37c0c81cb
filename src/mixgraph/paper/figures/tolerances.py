"""Figure 5: what is left of one song's console at several tolerances."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from mixgraph.draw.graph import INCHES, draw_graph, lay_out_to_scale
from mixgraph.errors import ConfigError
from mixgraph.paper.studies import Study, pruned_of


def draw(studies: Sequence[Study]) -> Figure:
    """The song and strategy with the most tolerances (two at least), one graph for each, up to three."""
    groups: dict[tuple[str, str], dict[float, Study]] = {}
    for study in pruned_of(studies):
        strategy, tolerance = study.criterion
        groups.setdefault((study.song, strategy), {})[tolerance] = study
    (song, strategy), found = max(groups.items(), key=lambda group: (len(group[1]), group[0]), default=(("", ""), {}))
    if len(found) < 2:
        raise ConfigError("no results for it: searches of one song with one strategy at several tolerances")
    shown = [found[tolerance] for tolerance in sorted(found)][:3]
    layouts = [lay_out_to_scale(study.result.graph) for study in shown]
    heights = [layout.height for layout in layouts]
    width, height = max(layout.width for layout in layouts), sum(heights)
    size = (width * INCHES, height * INCHES + 0.4 * len(shown))
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(len(shown), height_ratios=heights)
    for ax, study in zip(axes, shown, strict=True):
        metrics = study.result.metrics
        kept, initial = (metrics["processors"][when]["total"] for when in ("kept", "initial"))
        draw_graph(ax, study.result.graph, dry_wet=study.result.bank.dry_wet())
        loss = metrics["loss"]["pruned"]["target"]
        title = f"tolerance {study.criterion[1]:g}: {kept} of {initial} processors, loss {loss:.3f}"
        ax.set_title(title, fontsize=8, loc="left")
        ax.set_anchor("W")
    figure.suptitle(f"{song}, strategy {strategy}", fontsize=9)
    return figure
