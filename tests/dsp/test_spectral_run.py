"""Runs of linear processors as products of spectra against convolution; compiled loops against torch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from mixgraph.dsp.compiled import usable
from mixgraph.dsp.convolution import convolve
from mixgraph.dsp.spectral import to_signal, to_spectrum
from mixgraph.dsp.spectral_run import CHUNK, Filter, apply_run

N, LENGTH, ROWS, COUNT = 64, 20, 4, 3
PLACES = ((0, 1, 3), (1, 2))  # the rows of the two filters: one has both, one neither
TARGETS = (2, 0, 2, 2)  # nothing is added to target 1


def inputs(channels: int, generator: torch.Generator, taps: int = 13, length: int = LENGTH) -> list[Tensor]:
    """Signals, matrices, and taps and weight of each filter."""
    made = [torch.randn(ROWS, 2, length, generator=generator), torch.randn(ROWS, 2, 2, generator=generator)]
    for rows in PLACES:
        made += [
            torch.randn(len(rows), channels, taps, generator=generator),
            torch.rand(len(rows), generator=generator),
        ]
    return made


def run(level: Any, n: int, length: int, signal: Tensor, matrix: Tensor, *filters: Tensor) -> tuple[Tensor, ...]:
    """The output, and the levels of both filters where they are observed."""
    made = [
        Filter(to_spectrum(filters[2 * slot], n), filters[2 * slot + 1], rows, level)
        for slot, rows in enumerate(PLACES)
    ]
    spectrum, levels = apply_run(to_spectrum(signal, n), matrix, made, TARGETS, COUNT, n=n, length=length)
    pairs = [value for pair in levels if pair for value in (pair.dry, pair.wet)]
    return to_signal(spectrum, n, length), *pairs


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("level", ["mid", "stereo", None])
def test_gradients(channels: int, level: Any, device: torch.device, generator: torch.Generator) -> None:
    leaves = [x.to(device, torch.float64).requires_grad_() for x in inputs(channels, generator)]
    assert torch.autograd.gradcheck(lambda *x: run(level, N, LENGTH, *x), leaves)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("level", ["mid", "stereo"])
def test_is_filters_one_after_the_other(channels: int, level: Any, generator: torch.Generator) -> None:
    """Levels are those of the whole of it, tails included."""
    signal, matrix, *filters = (x.double() for x in inputs(channels, generator))
    output, *levels = run(level, N, LENGTH, signal, matrix, *filters)
    rows, expected = list(torch.matmul(matrix, torch.nn.functional.pad(signal, (0, 24)))), []
    for slot, places in enumerate(PLACES):
        pairs = []
        for place, row in enumerate(places):
            dry, w = rows[row], filters[2 * slot + 1][place]
            wet = convolve(dry[None], filters[2 * slot][place][None])[0]
            rows[row] = (1 - w) * dry + w * wet
            pairs.append([(x.sum(0) if level == "mid" else x / 2**0.5).square().sum() / LENGTH for x in (dry, wet)])
        expected += list(torch.tensor(pairs, dtype=torch.float64).T)
    wanted = torch.zeros(COUNT, 2, LENGTH, dtype=torch.float64)
    for row, target in zip(rows, TARGETS, strict=True):
        wanted[target] += row[:, :LENGTH]
    torch.testing.assert_close(output, wanted)
    for one, other in zip(levels, expected, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("level", ["mid", "stereo", None])
@pytest.mark.usefixtures("threads")
def test_compiled_is_as_written(channels: int, level: Any, generator: torch.Generator) -> None:
    """In single precision against plain torch in double; more bins than one piece of work holds."""
    length = CHUNK + 15
    made = inputs(channels, generator, taps=length // 2, length=length)
    made[2], made[4] = 0.01 * made[2], 0.01 * made[4]
    toward = torch.randn(COUNT, 2, length, generator=generator)

    def outcome(dtype: torch.dtype) -> list[Tensor]:
        leaves = [x.detach().to(dtype).requires_grad_() for x in made]
        output, *levels = run(level, 2 * length + 34, length, *leaves)
        ((output * toward).sum() + sum(((k + 1) * x.sum() for k, x in enumerate(levels)), output.sum() * 0)).backward()
        return [output.detach(), *(x.detach() for x in levels), *(x.grad for x in leaves if x.grad is not None)]

    found, wanted = outcome(torch.float32), outcome(torch.float64)
    assert usable(found[0]) and not usable(wanted[0])
    assert len(found) == len(wanted) == 7 + (4 if level else 0)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one.double(), other, rtol=5e-5, atol=5e-5 * float(other.abs().max()))


def test_a_signal_without_filters_is_only_mixed_and_added(generator: torch.Generator) -> None:
    signal, matrix, *_ = (x.double() for x in inputs(2, generator))
    spectrum, levels = apply_run(to_spectrum(signal, N), matrix, [], range(ROWS), ROWS, n=N, length=LENGTH)
    torch.testing.assert_close(to_signal(spectrum, N, LENGTH), torch.matmul(matrix, signal))
    assert levels == []
