"""One colour for each processor type, wherever graphs are shown: Okabe and Ito's, which colour-blind readers can tell
apart (https://jfly.uni-koeln.de/color), two of them lighter so that dark letters read well on them."""

from __future__ import annotations

from typing import Final

COLORS: Final = {
    "equalizer": "#56b4e9",
    "compressor": "#e0651a",
    "noise_gate": "#f0e442",
    "stereo_imager": "#cc79a7",
    "gain_panning": "#21b58b",
    "multitap_delay": "#e69f00",
    "reverb": "#0072b2",
}
OTHER: Final = "#b7bcc4"


def color_of(type: str) -> str:
    """`#rrggbb` of a processor type; grey for what has none."""
    return COLORS.get(type, OTHER)
