"""How loud a signal is where it sounds, and how quiet between: what thresholds and faders are drawn from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor
from torch.nn.functional import pad

FRAME_SECONDS = 0.05
ACTIVE_DB = 40.0
"""A frame sounds where it is within so many dB of the loudest one."""
FLOOR_SHARE = 0.1
"""The noise floor is the level that this share of the frames stays below, those of silence left out."""
SILENT_DB = -80.0


@final
@dataclass(frozen=True)
class Levels:
    """Mean squares over both channels in dB, where 0 is a full-scale square wave: as compressors and gates hear them.

    `active_db` is the mean over frames that sound, `floor_db` the noise floor, `side_db` the side signal's level beside
    the mid's.
    """

    active_db: float
    floor_db: float
    side_db: float


def levels_of(signal: Tensor, sample_rate: int) -> Levels | None:
    """The levels of a signal `(2, time)`; None where it is silent."""
    frames = frame_energies(signal, sample_rate)
    heard = frames[frames > 10 ** (SILENT_DB / 10)]
    if not len(heard):
        return None
    active = frames[frames >= frames.max() * 10 ** (-ACTIVE_DB / 10)].mean()
    floor = torch.quantile(heard, FLOOR_SHARE)
    mid, side = signal.double().sum(0).square().sum(), signal.double().diff(dim=0).square().sum()
    side_db = decibels(float(side)) - decibels(float(mid))
    return Levels(decibels(float(active)), decibels(float(floor)), side_db)


def frame_energies(signal: Tensor, sample_rate: int) -> Tensor:
    """Mean square `(frame,)` of each frame of a signal `(2, time)`, in float64; the last one is filled with silence."""
    frame = max(1, round(FRAME_SECONDS * sample_rate))
    energy = signal.double().square().mean(0)
    return pad(energy, (0, -len(energy) % frame)).unflatten(0, (-1, frame)).mean(-1)


def decibels(energy: float) -> float:
    """An energy in dB, that of silence at -200."""
    return 10 * math.log10(max(energy, 1e-20))
