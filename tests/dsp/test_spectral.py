"""Filters as products of spectra against convolution; compiled loops against torch."""

from __future__ import annotations

from typing import Literal

import pytest
import torch
from torch import Tensor

from mixgraph.dsp.compiled import usable
from mixgraph.dsp.convolution import convolve
from mixgraph.dsp.spectral import CHUNK, apply_matrix, apply_response, to_signal, to_spectrum

Level = Literal["mid", "stereo"] | None
N, LENGTH = 32, 20


def filtered(
    signal: Tensor, taps: Tensor, weight: Tensor, level: Level, n: int = N, length: int = LENGTH
) -> tuple[Tensor, ...]:
    spectra = to_spectrum(signal, n), to_spectrum(taps, n)
    spectrum, levels = apply_response(*spectra, weight, n=n, length=length, level=level)
    output = to_signal(spectrum, n, length)
    return (output, levels.dry, levels.wet) if levels else (output,)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("level", ["mid", "stereo", None])
def test_gradients(channels: int, level: Level, device: torch.device, generator: torch.Generator) -> None:
    signal = torch.randn(2, 2, LENGTH, dtype=torch.float64, generator=generator)
    taps = torch.randn(2, channels, 13, dtype=torch.float64, generator=generator)
    weight = torch.rand(2, dtype=torch.float64, generator=generator)
    inputs = [x.to(device).requires_grad_() for x in (signal, taps, weight)]
    assert torch.autograd.gradcheck(lambda signal, taps, weight: filtered(signal, taps, weight, level), inputs)


@pytest.mark.parametrize("channels", [1, 2])
def test_is_a_convolution_and_levels_are_those_of_the_whole_of_it(channels: int, generator: torch.Generator) -> None:
    signal = torch.randn(2, 2, LENGTH, dtype=torch.float64, generator=generator)
    taps = torch.randn(2, channels, 13, dtype=torch.float64, generator=generator)
    weight = torch.tensor([0.3, 1.0], dtype=torch.float64)
    w = weight[:, None, None]
    whole = convolve(torch.nn.functional.pad(signal, (0, 12)), taps)
    for level in ("mid", "stereo"):
        output, dry, wet = filtered(signal, taps, weight, level)
        torch.testing.assert_close(output, w * whole[..., :LENGTH] + (1 - w) * signal)
        for found, of in ((dry, signal), (wet, whole)):
            observed = of.sum(1, keepdim=True) if level == "mid" else of
            torch.testing.assert_close(found, observed.square().mean(1).sum(-1) / LENGTH)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("level", ["mid", "stereo", None])
@pytest.mark.usefixtures("threads")
def test_compiled_is_as_written(channels: int, level: Level, generator: torch.Generator) -> None:
    """In single precision against plain torch in double; more bins than one piece of work holds."""
    n = 2 * CHUNK + 30
    signal = torch.randn(3, 2, n // 2, generator=generator)
    taps = 0.01 * torch.randn(3, channels, n // 2, generator=generator)
    weight = torch.tensor([0.3, 1.0, 0.0])
    toward = torch.randn(signal.shape, generator=generator)

    def outcome(dtype: torch.dtype) -> list[Tensor]:
        signal_, taps_, weight_ = inputs = [x.detach().to(dtype).requires_grad_() for x in (signal, taps, weight)]
        output, *levels = filtered(signal_, taps_, weight_, level, n, n // 2)
        ((output * toward).sum() + sum(((k + 1) * x.sum() for k, x in enumerate(levels)), output.sum() * 0)).backward()
        return [output.detach(), *(x.detach() for x in levels), *(x.grad for x in inputs if x.grad is not None)]

    found, wanted = outcome(torch.float32), outcome(torch.float64)
    assert usable(found[0]) and not usable(wanted[0])
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one.double(), other, rtol=5e-5, atol=5e-5 * float(other.abs().max()))


def test_a_matrix_mixes_channels_of_spectra_as_of_samples(device: torch.device, generator: torch.Generator) -> None:
    signal = torch.randn(3, 2, LENGTH, dtype=torch.float64, generator=generator).to(device).requires_grad_()
    matrix = torch.randn(3, 2, 2, dtype=torch.float64, generator=generator).to(device).requires_grad_()

    def mixed(signal: Tensor, matrix: Tensor) -> Tensor:
        return to_signal(apply_matrix(to_spectrum(signal, N), matrix, N), N, LENGTH)

    torch.testing.assert_close(mixed(signal, matrix), torch.matmul(matrix, signal))
    assert torch.autograd.gradcheck(mixed, (signal, matrix))
