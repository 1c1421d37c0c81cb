"""One colour for each processor type, wherever graphs are shown: Okabe and Ito's, which colour-blind readers can tell
apart (https://jfly.uni-koeln.de/color), in the order of the console's chain."""

from __future__ import annotations

from typing import Final

COLORS: Final = {
    "equalizer": "#0072b2",
    "compressor": "#d55e00",
    "noise_gate": "#8c564b",
    "stereo_imager": "#56b4e9",
    "gain_panning": "#009e73",
    "multitap_delay": "#cc79a7",
    "reverb": "#e69f00",
}
OTHER: Final = "#6b7280"


def color_of(type: str) -> str:
    """`#rrggbb` of a processor type; grey for what has none."""
    return COLORS.get(type, OTHER)
