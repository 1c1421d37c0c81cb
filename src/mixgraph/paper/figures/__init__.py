"""Figures 3 to 7, one file each; `FIGURES` finds them by their number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mixgraph.paper.studies import Study

FIGURES: Final = {
    3: "progress",
    4: "importance",
    5: "tolerances",
    6: "statistics",
    7: "spectrograms",
}


def figure(number: int) -> Callable[[Sequence[Study]], Figure]:
    """What draws one figure of the paper from results; it raises `ConfigError` where none of them can be used."""
    return import_module(f"{__name__}.{FIGURES[number]}").draw
