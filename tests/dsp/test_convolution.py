"""Convolution against numpy's full convolution, cut to the signal."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mixgraph.dsp import convolution
from mixgraph.dsp.compiled import usable
from mixgraph.dsp.convolution import convolve, fast_length, filter_short


def by_numpy(signal: Tensor, taps: Tensor, origin: int) -> Tensor:
    length = signal.shape[-1]
    taps = taps.expand(*signal.shape[:-1], taps.shape[-1])
    rows = []
    for row, response in zip(signal.flatten(0, -2).numpy(), taps.flatten(0, -2).numpy(), strict=True):
        full = np.concatenate([np.convolve(row, response), np.zeros(origin + length)])
        rows.append(full[origin : origin + length])
    return torch.tensor(np.array(rows)).view_as(signal)


@given(length=st.integers(1, 40), count=st.integers(1, 60), origin=st.integers(0, 59), channels=st.sampled_from([1, 2]))
@settings(max_examples=80, deadline=None)
def test_is_the_full_convolution_cut_to_the_signal(length: int, count: int, origin: int, channels: int) -> None:
    generator = torch.Generator().manual_seed(length)
    signal = torch.randn(3, 2, length, dtype=torch.float64, generator=generator)
    taps = torch.randn(3, channels, count, dtype=torch.float64, generator=generator)
    origin %= count
    torch.testing.assert_close(convolve(signal, taps, origin=origin), by_numpy(signal, taps, origin))


@pytest.mark.parametrize("length, count, origin", [(7, 4, 0), (8, 5, 2), (3, 9, 4), (5, 9, 8), (1, 1, 0)])
@pytest.mark.parametrize("channels", [1, 2])
def test_gradients(
    length: int, count: int, origin: int, channels: int, device: torch.device, generator: torch.Generator
) -> None:
    signal = torch.randn(2, 2, length, dtype=torch.float64, generator=generator).to(device).requires_grad_()
    taps = torch.randn(2, channels, count, dtype=torch.float64, generator=generator).to(device).requires_grad_()
    for inputs in [(signal, taps), (signal, taps.detach()), (signal.detach(), taps)]:
        assert torch.autograd.gradcheck(lambda x, h: convolve(x, h, origin=origin), inputs)


@pytest.mark.parametrize("origin", [0, 3, 10])
def test_blocks_give_the_same_result(origin: int, monkeypatch: pytest.MonkeyPatch, generator: torch.Generator) -> None:
    signal = torch.randn(2, 205, dtype=torch.float64, generator=generator).requires_grad_()
    taps = torch.randn(1, 11, dtype=torch.float64, generator=generator).requires_grad_()
    weights = torch.randn(2, 205, dtype=torch.float64, generator=generator)
    at_once = convolve(signal, taps, origin=origin)
    expected = torch.autograd.grad((at_once * weights).sum(), (signal, taps))
    lengths = []
    monkeypatch.setattr(convolution, "BLOCK", 16)
    monkeypatch.setattr(convolution, "fast_length", lambda n: lengths.append(n) or fast_length(n))
    in_blocks = convolve(signal, taps, origin=origin)
    assert max(lengths) < 100, "a block is no bigger than it needs to be"
    torch.testing.assert_close(in_blocks, at_once)
    torch.testing.assert_close(torch.autograd.grad((in_blocks * weights).sum(), (signal, taps)), expected)


@pytest.mark.parametrize("n", [1, 16, 17, 3_038, 115_023, 173_999, 2**20 + 1])
def test_fast_length_is_the_next_quick_one(n: int) -> None:
    def exponents(m: int) -> tuple[dict[int, int], int]:
        found = {}
        for prime in (2, 3, 5, 7):
            while m % prime == 0:
                m, found[prime] = m // prime, found.get(prime, 0) + 1
        return found, m

    def is_quick(m: int) -> bool:
        found, rest = exponents(m)
        return rest == 1 and 4 <= found.get(2, 0) <= 9 and found.get(3, 0) <= 2

    assert fast_length(n) == next(m for m in range(n, 2 * n + 32) if is_quick(m))


@pytest.mark.parametrize(("length", "count"), [(2_500, 101), (1_024, 1), (30, 7)])
@pytest.mark.usefixtures("threads")
def test_short_filters_are_convolutions(length: int, count: int, generator: torch.Generator) -> None:
    """In single precision against plain torch in double; the filter is not its own mirror image."""
    signal, toward = torch.randn(2, 2, length, generator=generator)
    taps = torch.randn(count, generator=generator)

    def outcome(dtype: torch.dtype) -> list[Tensor]:
        leaf = signal.to(dtype).requires_grad_()
        output = filter_short(leaf, taps.to(dtype))
        return [output.detach(), torch.autograd.grad(output, leaf, toward.to(dtype))[0]]

    found, wanted = outcome(torch.float32), outcome(torch.float64)
    assert usable(found[0]) and not usable(wanted[0])
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one.double(), other, rtol=1e-5, atol=1e-4)
