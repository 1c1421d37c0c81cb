"""Short-time spectra of dry tracks and mix, mid and side, block by block, and the bands that features are told in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, final

import numpy as np
import torch
from torch import Tensor

from mixgraph.audio.song import Song
from mixgraph.dsp.mel import hz_from_mel, mel_from_hz

WINDOW_S: Final = 0.064
HOPS_PER_WINDOW: Final = 2
BLOCK_FRAMES: Final = 256


@final
@dataclass(frozen=True)
class Block:
    """Spectra of successive frames, complex: `tracks` `(track, 2, bin, frame)` and `mix` `(2, bin, frame)`.

    The axis of two is mid and side, half of left plus and minus right.
    """

    tracks: Tensor
    mix: Tensor


def blocks(song: Song, tracks: Sequence[str], bins: slice) -> Iterator[Block]:
    """The spectra of a whole song (Hann windows of 64 ms, half overlapped), some hundred frames at a time."""
    hop = round(WINDOW_S * song.sample_rate / HOPS_PER_WINDOW)
    size = hop * HOPS_PER_WINDOW
    window = torch.hann_window(size) / (size / 2) ** 0.5
    frames = max(1, song.samples // hop)
    for first in range(0, frames, BLOCK_FRAMES):
        count = min(BLOCK_FRAMES, frames - first)
        place = first * hop, (count - 1) * hop + size
        segment = np.concatenate([song.track_segment(*place, tracks), song.mix_segment(*place)[None]])
        left, right = torch.from_numpy(segment).unbind(1)
        mid_side = torch.stack([left + right, left - right], 1) / 2
        spectra = torch.fft.rfft(mid_side.unfold(-1, size, hop) * window).transpose(-1, -2)[..., bins, :]
        yield Block(spectra[:-1], spectra[-1])


@final
@dataclass(frozen=True)
class Bands:
    """Successive runs of bins: `edges` are the first bin of each band, and the end of the last."""

    edges: tuple[int, ...]

    @classmethod
    def mel(cls, sample_rate: int, count: int) -> Bands:
        """Bands evenly spaced on Slaney's mel scale, of one bin at least, without the constant."""
        bins = round(WINDOW_S * sample_rate / HOPS_PER_WINDOW) + 1
        hz = hz_from_mel(np.linspace(0, mel_from_hz(sample_rate / 2), count + 1))
        edges = [1]
        for wanted in np.round(hz[1:-1] * WINDOW_S).astype(int).tolist():
            edges.append(max(wanted, edges[-1] + 1))
        return cls((*edges, bins))

    def __len__(self) -> int:
        return len(self.edges) - 1

    @property
    def bins(self) -> slice:
        """All bins that are in a band; the others below work on these bins alone."""
        return slice(self.edges[0], self.edges[-1])

    @cached_property
    def of_bin(self) -> Tensor:
        """The band `(bin,)` of each bin."""
        return torch.repeat_interleave(torch.arange(len(self)), torch.diff(torch.tensor(self.edges)))

    def sum(self, values: Tensor) -> Tensor:
        """`(..., bin, frame)` summed over the bins of each band."""
        sums = values.new_zeros(*values.shape[:-2], len(self), values.shape[-1])
        return sums.index_add_(-2, self.of_bin, values)

    def joined(self, count: int) -> Bands:
        """The same bins in fewer bands."""
        return Bands(tuple(self.edges[len(self) * band // count] for band in range(count + 1)))
