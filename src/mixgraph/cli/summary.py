"""Tables: what a search achieved, and a loss beside another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

STAGES = {"plain_sum": "plain sum of the tracks", "console": "full console", "pruned": "after pruning"}
CHANNELS = {"left_right": "left, right", "mid": "mid", "side": "side"}


def plain_table() -> Table:
    """The look of all our tables."""
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim", show_edge=False, padding=(0, 2, 0, 0))


def print_summary(console: Console, metrics: Mapping[str, Any], place: str) -> None:
    """Loss before and after in both conventions, processors kept by type, time, and where the result is."""
    ratio = metrics["pruning_ratio"]["total"]
    rest = f" kept ({ratio:.0%} pruned) in {metrics['seconds'] / 60:.1f} min"
    facts = Text.assemble((f"{kept_of(metrics)} processors", "bold"), rest)
    console.print()
    console.print(loss_table(metrics["loss"]))
    console.print()
    console.print(types_table(metrics["processors"]))
    console.print()
    console.print(facts)
    console.print(Text.assemble("result in ", (place, "bold")), soft_wrap=True)


def kept_of(metrics: Mapping[str, Any]) -> str:
    """Such as `14 of 42`."""
    processors = metrics["processors"]
    return f"{processors['kept']['total']} of {processors['initial']['total']}"


def loss_table(losses: Mapping[str, Any]) -> Table:
    """The loss after each stage, in both conventions of spectral convergence."""
    table = plain_table()
    table.add_column("loss", no_wrap=True)
    table.add_column("ours", justify="right")
    table.add_column("published", justify="right")
    for name, title in STAGES.items():
        if name in losses:
            last = name == "pruned"
            values = [f"{losses[name][convention]:.3f}" for convention in ("target", "published")]
            table.add_row(title, *values, style="bold" if last else "")
    return table


def types_table(processors: Mapping[str, Any]) -> Table:
    """Processors kept of each type, with a bar of ten."""
    table = plain_table()
    table.add_column("processor", no_wrap=True)
    table.add_column("kept", justify="right")
    table.add_column("")
    for kind, count in processors["initial"]["by_type"].items():
        kept = processors["kept"]["by_type"].get(kind, 0)
        full = round(10 * kept / count)
        bar = Text.assemble(("━" * full, "green"), ("╌" * (10 - full), "bright_black"))
        table.add_row(kind.replace("_", " "), f"{kept} of {count}", bar)
    return table


def comparison_table(now: Mapping[str, Any], stored: Mapping[str, Any]) -> Table:
    """A loss in both conventions and by channel, as measured now and as the result says."""
    table = plain_table()
    table.add_column("loss", no_wrap=True)
    for title in ("ours", "stored", "published", "stored"):
        table.add_column(title, justify="right", style="dim" if title == "stored" else "")
    rows = {"total": (now, stored)} | {
        title: (now["channels"][name], stored["channels"][name]) for name, title in CHANNELS.items()
    }
    for title, values in rows.items():
        cells = [f"{value[convention]:.4f}" for convention in ("target", "published") for value in values]
        table.add_row(title, *cells, style="bold" if title == "total" else "")
    return table
