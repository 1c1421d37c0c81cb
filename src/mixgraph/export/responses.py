"""Linear processors as impulse responses between two channels, dry share folded in, alone or several in a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

import numpy as np
import torch

from mixgraph.audio.files import wav_bytes
from mixgraph.files import write_bytes
from mixgraph.processors.base import ConvolutionProcessor, DynamicsProcessor, MatrixProcessor, Processor
from mixgraph.result.result import Result

SILENT: Final = 1e-14  # of a response's energy, -140 dB: what is cut at its end
MARGIN: Final = 1024  # samples that a response between samples reaches beyond its ends


@dataclass(frozen=True)
class Response:
    """Taps `(output channel 2, input channel 2, tap)` in float64, and the index of the tap at time zero."""

    taps: np.ndarray
    origin: int = 0

    @property
    def is_diagonal(self) -> bool:
        """Whether left stays left and right stays right."""
        return not self.taps[0, 1].any() and not self.taps[1, 0].any()

    @property
    def is_memoryless(self) -> bool:
        """Whether it is a 2x2 matrix of gains."""
        return self.taps.shape[-1] == 1

    def then(self, after: Response) -> Response:
        """Both in a row, `after` behind this one."""
        count = self.taps.shape[-1] + after.taps.shape[-1] - 1
        spectra = [np.fft.rfft(taps, count) for taps in (after.taps, self.taps)]
        taps = np.fft.irfft(np.einsum("oct,cit->oit", *spectra), count)
        return Response(_exact_zeros(taps, after.taps, self.taps), self.origin + after.origin)

    def shortened(self) -> Response:
        """Without what nobody hears of its end."""
        energy = np.square(self.taps).sum((0, 1))
        left = np.cumsum(energy[::-1])[::-1]
        count = max(int((left > SILENT * energy.sum()).sum()), self.origin + 1)
        return Response(self.taps[..., :count], self.origin)

    def resampled(self, rate: int, wanted: int) -> Response:
        """The same filter at another, higher rate, up to half of the old one: what comes in must hold no more.

        Exact but for the ends of the sinc, which are cut `MARGIN` old samples beyond the response.
        """
        if rate == wanted or self.is_memoryless:
            return self
        count = self.taps.shape[-1] + 2 * MARGIN
        # A length that is a whole number of samples at both rates.
        unit = rate // int(np.gcd(rate, wanted))
        old = -(-count // unit) * unit
        new = old * wanted // rate
        spectrum = np.fft.rfft(np.pad(self.taps, ((0, 0), (0, 0), (MARGIN, old - MARGIN - self.taps.shape[-1]))))
        # Time zero must fall on a sample of the new rate.
        lead = self.origin + MARGIN
        origin = -(-lead * wanted // rate)
        shift = origin * rate / wanted - lead
        spectrum *= np.exp(-2j * np.pi * np.arange(spectrum.shape[-1]) * shift / old)
        spectrum = spectrum[..., : new // 2 + 1]
        if old % 2 == 0 and new > old:
            spectrum[..., -1] /= 2
        return Response(np.fft.irfft(spectrum, new), origin)


def write_response(path: Path, response: Response, sample_rate: int) -> None:
    """A WAV of 32-bit floats: left and right where these stay apart, else left to left, left to right, right to ..."""
    taps = response.taps[[0, 1], [0, 1]] if response.is_diagonal else response.taps.swapaxes(0, 1).reshape(4, -1)
    write_bytes(path, wav_bytes(taps.T, sample_rate))


def response_of(result: Result, id: str) -> Response | None:
    """What one processor does, dry share included; None for one that is not linear."""
    node, wet = result.graph.node(id), result.bank.dry_wet()[id]
    parameters = {name: value.double() for name, value in result.bank.select(node.type, [id]).items()}
    with torch.no_grad():
        match processor_of(result, id):
            case ConvolutionProcessor() as processor:
                made = processor.impulse_response(parameters)
                rows = made.taps[0].cpu().numpy()
                taps, origin = np.zeros((2, 2, rows.shape[-1])), made.origin
                taps[0, 0], taps[1, 1] = rows[0], rows[-1]
            case MatrixProcessor() as processor:
                taps, origin = processor.matrix(parameters)[0].cpu().numpy()[..., None], 0
            case _:
                return None
    taps = wet * taps
    taps[..., origin] += (1 - wet) * np.eye(2)
    return Response(taps, origin)


def processor_of(result: Result, id: str) -> Processor:
    """The processor that a node is one of."""
    return result.processors[result.graph.node(id).type]


def in_a_row(result: Result, ids: Sequence[str]) -> Response:
    """What linear processors do one after the other."""
    total = Response(np.eye(2)[..., None])
    for id in ids:
        response = response_of(result, id)
        if response is None:
            raise ValueError(f"{id} is not linear")
        total = total.then(response)
    return total


def linear_runs(result: Result, ids: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Processors of a strand, linear ones that follow one another together, others alone."""
    for dynamic, group in groupby(ids, lambda id: isinstance(processor_of(result, id), DynamicsProcessor)):
        run = tuple(group)
        yield from ((id,) for id in run) if dynamic else (run,)


def _exact_zeros(taps: np.ndarray, after: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Channels that nothing crosses stay at zero, where an FFT leaves rounding."""
    crosses = np.einsum("oc,ci->oi", after.any(-1).astype(int), before.any(-1).astype(int)) > 0
    return taps * crosses[..., None]
