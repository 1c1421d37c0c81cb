"""What the paper reports (arXiv 2406.01049, Tables 1 to 3): the loss as its code computes it, and pruning ratios."""

from __future__ import annotations

from typing import Final, NamedTuple


class Row(NamedTuple):
    """Mean audio loss L_a, its left/right, mid and side parts where they are given, and pruning ratio."""

    loss: float
    channels: tuple[float, float, float] | None = None
    pruning_ratio: float | None = None


PLAIN_SUM: Final = Row(19.7, (1.52, 1.46, 74.3))
CONSOLES: Final = {
    "g": Row(0.689),
    "sg": Row(0.676),
    "esg": Row(0.557),
    "esgr": Row(0.481),
    "ecsgr": Row(0.423),
    "ecnsgr": Row(0.414),
    "ecnsgdr": Row(0.409, (0.395, 0.375, 0.469)),
}
"""Table 1: mean over 72 songs, by processor chain; the plain sum is `PLAIN_SUM`."""

STRATEGIES: Final = {
    ("brute_force", 0.01): Row(0.424, None, 0.69),
    ("dry_wet", 0.01): Row(0.420, None, 0.62),
    ("hybrid", 0.001): Row(0.411, None, 0.49),
    ("hybrid", 0.01): Row(0.422, None, 0.67),
    ("hybrid", 0.1): Row(0.499, None, 0.87),
}
"""Table 2: by strategy and tolerance."""

HYBRID_BY_TYPE: Final = {
    "equalizer": 0.46,
    "compressor": 0.71,
    "noise_gate": 0.79,
    "stereo_imager": 0.86,
    "gain_panning": 0.51,
    "multitap_delay": 0.63,
    "reverb": 0.71,
}
"""Table 2: pruning ratio by type of the hybrid strategy at a tolerance of 0.01."""

DATASETS: Final = {
    ("medleydb", "hybrid", 0.01): Row(0.431, None, 0.63),
    ("mixing_secrets", "hybrid", 0.01): Row(0.625, None, 0.64),
}
"""Table 3: full data, by dataset, strategy and tolerance; without the authors' own songs, which nobody else has."""
