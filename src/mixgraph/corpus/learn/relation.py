"""What a mix did to each of its tracks, as far as least squares tells: gains, panning, dynamics and what rings on.

Per band, the mix's mid and side are explained by the tracks' mid and side, one complex factor each, the same at all
times. What such factors cannot explain is explained in turn: by factors that follow a track's own level (dynamics),
and, in power, by the track's past (delays and reverberation).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np
import torch
from scipy.optimize import nnls
from torch import Tensor

from mixgraph.audio.song import Song
from mixgraph.corpus.learn.spectra import Bands, blocks

RIDGE: Final = 1e-3
FLOOR: Final = 1e-8
LAGS: Final = ((0, 1), (1, 3), (3, 7), (7, 13), (13, 26), (26, 48))
"""Frames (of 32 ms) back, from and until before, whose power may ring on."""
REGIONS: Final = 3
MID, SIDE = 0, 1


@final
@dataclass(frozen=True)
class Relation:
    """What a mix did to each track.

    `factors` `(track, band, out, in)`, complex, are from mid and side to mid and side. `share` `(track, band, in)` is
    what the track's mid and side, so multiplied, have of the mix's power. `dynamics` `(track, 2)` is the relative
    change of its gain per 10 dB above, and below, its level. `ringing` `(track, region, out, lag)` is the power that
    rings on, relative to the direct sound's.
    """

    factors: np.ndarray
    share: np.ndarray
    dynamics: np.ndarray
    ringing: np.ndarray


def relate(song: Song, tracks: Sequence[str], bands: Bands) -> Relation:
    """The relation of a song's mix to these tracks."""
    factors, share, level = _fit_factors(song, tracks, bands)
    dynamics, powers = _explain_rest(song, tracks, bands, factors, _bends(level))
    return Relation(factors.numpy(), share.numpy(), dynamics.numpy(), _ringing(powers))


def _fit_factors(song: Song, tracks: Sequence[str], bands: Bands) -> tuple[Tensor, Tensor, Tensor]:
    """Weighted least squares: `factors` and `share` as in `Relation`, and the tracks' levels in dB `(track, frame)`."""
    count = len(tracks)
    gram = torch.zeros(len(bands), 2 * count, 2 * count, dtype=torch.complex128)
    cross = torch.zeros(len(bands), 2, 2 * count, dtype=torch.complex128)
    total, levels = torch.zeros(len(bands), dtype=torch.float64), []
    for block in blocks(song, tracks, bands.bins):
        root = _weight(block.mix, bands).sqrt()
        inputs = (block.tracks.flatten(0, 1) * root).transpose(0, 1)  # (bin, signal, frame)
        mix = (block.mix * root).transpose(0, 1)
        gram.index_add_(0, bands.of_bin, (inputs @ inputs.mH).to(gram.dtype))
        cross.index_add_(0, bands.of_bin, (mix @ inputs.mH).to(cross.dtype))
        total.index_add_(0, bands.of_bin, mix.abs().square().sum((1, 2)).double())
        levels.append(10 * torch.log10(block.tracks.abs().square().sum((1, 2)) + FLOOR))
    energy = gram.diagonal(dim1=1, dim2=2).real
    # Each signal's own: a faint side signal must not be held back by a loud mid.
    factors = torch.linalg.solve(gram + torch.diag_embed(RIDGE * energy + FLOOR), cross, left=False)
    power = (factors.abs().square() * energy[:, None]).sum(1)
    share = (power / (total[:, None] + FLOOR)).unflatten(1, (count, 2)).transpose(0, 1)
    return factors.unflatten(2, (count, 2)).permute(2, 0, 1, 3).resolve_conj(), share, torch.cat(levels, 1)


@final
@dataclass(frozen=True)
class _Powers:
    """Per region and frame: of each track's direct sound `(track, region, frame)`, of the rest `(2, region, frame)`,
    and of the mix `(region, frame)`."""

    direct: np.ndarray
    rest: np.ndarray
    mix: np.ndarray


def _explain_rest(
    song: Song, tracks: Sequence[str], bands: Bands, factors: Tensor, bends: Tensor
) -> tuple[Tensor, _Powers]:
    """Dynamics `(track, 2)`, and the powers that ringing is told from."""
    count, regions, first = len(tracks), bands.joined(REGIONS), 0
    gram = torch.zeros(2 * count, 2 * count, dtype=torch.float64)
    cross = torch.zeros(2 * count, dtype=torch.float64)
    direct, rest, power = [], [], []
    for block in blocks(song, tracks, bands.bins):
        bend = bends[:, :, None, first : first + block.mix.shape[-1]]
        first += block.mix.shape[-1]
        sounds = torch.einsum("kfoi,kift->koft", factors.to(block.mix.dtype)[:, bands.of_bin], block.tracks)
        left = block.mix - sounds.sum(0)
        root = _weight(block.mix, bands).sqrt()
        bent = (sounds[:, None, MID] * bend * root).flatten(0, 1).flatten(1)  # (track and bend, bin and frame)
        gram += (bent @ bent.mH).real.double()
        cross += (bent @ (left[MID] * root).flatten().conj()).real.double()
        direct.append(regions.sum(sounds[:, MID].abs().square()))
        rest.append(regions.sum(left.abs().square()))
        power.append(regions.sum(block.mix.abs().square().sum(0)))
    ridge = RIDGE * gram.trace() / (2 * count) + FLOOR
    dynamics = torch.linalg.solve(gram + ridge * torch.eye(2 * count), cross).unflatten(0, (count, 2))
    return dynamics, _Powers(*(torch.cat(parts, -1).numpy() for parts in (direct, rest, power)))


def _ringing(powers: _Powers) -> np.ndarray:
    """Non-negative least squares of the rest's power on the direct sounds' past: `(track, region, out, lag)`."""
    count, regions, frames = powers.direct.shape
    past = np.stack([_past(powers.direct, *lag) for lag in LAGS], 1)  # (track, lag, region, frame)
    found = np.zeros((count, regions, 2, len(LAGS)))
    for region in range(regions):
        weight = 1 / (powers.mix[region] + FLOOR)
        columns = past[:, :, region].reshape(-1, frames) * weight
        for out in (MID, SIDE):
            solution, _ = nnls(columns.T, powers.rest[out, region] * weight)
            found[:, region, out] = solution.reshape(count, len(LAGS))
    return found


def _past(power: np.ndarray, first: int, last: int) -> np.ndarray:
    """The mean power `(..., frame)` from `first` until before `last` frames ago."""
    frames = power.shape[-1]
    padded = np.concatenate([np.zeros((*power.shape[:-1], last)), power], -1)
    return np.mean([padded[..., last - lag : last - lag + frames] for lag in range(first, last)], 0)


def _bends(level: Tensor) -> Tensor:
    """How far above and below its usual level a track is: `(track, 2, frame)` in 10 dB, weighted to mean zero."""
    power = 10 ** (level / 10)
    share = power / power.sum(1, keepdim=True)
    usual = 10 * torch.log10((power * share).sum(1, keepdim=True)) - 6
    bends = torch.stack([(level - usual).clamp(0, 20), (usual - level).clamp(0, 40)], 1) / 10
    return bends - (bends * share[:, None]).sum(-1, keepdim=True)


def _weight(mix: Tensor, bands: Bands) -> Tensor:
    """What makes errors relative to the mix, `(bin, frame)`: one over its power in the bin's band."""
    return 1 / (bands.sum(mix.abs().square().sum(0)) + FLOOR)[bands.of_bin]
