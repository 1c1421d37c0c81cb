"""Natural logarithms to decibels, and the inverse of softplus."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor

DB_PER_NEPER: Final = 20 / math.log(10)
DB_PER_LOG_ENERGY: Final = 10 / math.log(10)


def inverse_softplus(value: Tensor) -> Tensor:
    """x with softplus(x) = value, for value > 0, exact at both ends."""
    return value + torch.log(-torch.expm1(-value))


def hz_text(hz: float) -> str:
    """A frequency to two digits, as an engineer says it: `80 Hz`, `1.6 kHz`."""
    return f"{hz / 1000:.2g} kHz" if hz >= 995 else f"{float(f'{hz:.2g}'):.0f} Hz"


def seconds_text(seconds: float) -> str:
    """A decay time: `0.85 s`, or `> 10 s` where its length no longer matters."""
    return f"{seconds:.2g} s" if seconds <= 10 else "> 10 s"


def number(value: float, digits: int = 1, *, sign: bool = False) -> str:
    """A number with a true minus sign; never a negative zero, and a dash for what is not known."""
    if not math.isfinite(value):
        return "–"
    text = f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"
    if not float(text):
        text = text.lstrip("+-")
    return text.replace("-", "−")
