"""Delay taps: the closed form of the argmax, and the straight-through gradient against plain autograd."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from mixgraph.dsp.delay import (
    colored_taps,
    normalize_gradient,
    powers,
    soft_impulse,
    tap_angle,
    tap_position,
    to_unit_disk,
)


def random_disk(generator: torch.Generator, *shape: int) -> Tensor:
    radius = torch.rand(shape, dtype=torch.float64, generator=generator)
    angle = 2 * torch.pi * torch.rand(shape, dtype=torch.float64, generator=generator)
    return torch.polar(radius, angle)


def plain_taps(zeta: Tensor, color: Tensor, slot: int) -> Tensor:
    """The published construction: argmax of the soft impulse, coloured by an FFT product, cropped."""
    soft = torch.fft.irfft(zeta[..., None] ** torch.arange(slot // 2 + 1), n=slot)
    hard = torch.zeros_like(soft).scatter_(-1, soft.argmax(-1, keepdim=True), 1.0)
    impulse, n, half = soft + (hard - soft).detach(), slot + color.shape[-1] - 1, color.shape[-1] // 2
    return torch.fft.irfft(torch.fft.rfft(impulse, n) * torch.fft.rfft(color, n), n)[..., half : half + slot]


@pytest.mark.parametrize("slot", [8, 9, 100, 441])
def test_forward_and_gradient_are_the_published_straight_through_ones(slot: int, generator: torch.Generator) -> None:
    zeta = random_disk(generator, 4, 10).requires_grad_()
    color = torch.randn(4, 10, 7, dtype=torch.float64, generator=generator).requires_grad_()
    weights = torch.randn(4, 10, slot, dtype=torch.float64, generator=generator)
    ours, plain = colored_taps(zeta, color, slot), plain_taps(zeta, color, slot)
    torch.testing.assert_close(ours, plain)
    gradients = (torch.autograd.grad((taps * weights).sum(), (zeta, color)) for taps in (ours, plain))
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("slot", [2, 3, 30, 101, 3000])
def test_position_is_the_peak_of_the_soft_impulse(slot: int, generator: torch.Generator) -> None:
    zeta = random_disk(generator, 200)
    position = tap_position(zeta, slot)
    apart_from_ties = ((position % 1) - 0.5).abs() > 1e-3
    peak = soft_impulse(zeta, slot).argmax(-1).double()
    torch.testing.assert_close(position.round().clamp(min=0)[apart_from_ties], peak[apart_from_ties])
    on_circle = torch.polar(torch.ones(slot), tap_angle(torch.arange(slot), slot)).to(torch.complex128)
    torch.testing.assert_close(tap_position(on_circle, slot), torch.arange(slot).double(), rtol=0, atol=slot * 1e-6)


def test_taps_on_the_seam_of_the_slot_stay_inside() -> None:
    """Half a sample before the slot's start, rounding may fall on either end but never outside."""
    angle = tap_angle(torch.tensor(-0.5), 8)
    angles = angle * (1 + torch.arange(-20, 21) * torch.finfo(torch.float32).eps)
    onsets = colored_taps(torch.polar(torch.ones(41), angles), torch.ones(41, 1), 8).argmax(-1)
    assert set(onsets.tolist()) == {0, 7}


def test_tap_at_the_origin_of_the_disk_moves_by_the_first_harmonic(device: torch.device) -> None:
    z = torch.zeros(1, dtype=torch.complex128, device=device, requires_grad=True)
    color = torch.ones(1, 5, dtype=torch.float64, device=device, requires_grad=True)
    gradient = np.arange(12.0) ** 2
    colored_taps(to_unit_disk(z), color, 12).backward(torch.tensor(gradient, device=device)[None])
    expected = 2 / 12 * np.fft.rfft(np.convolve(gradient, np.ones(5), "same"))[1]
    torch.testing.assert_close(z.grad, torch.tensor([expected], device=device))


@pytest.mark.parametrize("base", [0.0, 0.3 - 0.4j, 1j, 0.9999 + 0.001j])
@pytest.mark.parametrize("count", [1, 2, 7, 1501])
def test_powers(base: complex, count: int) -> None:
    expected = torch.tensor(np.power(complex(base), np.arange(count)), dtype=torch.complex128)
    torch.testing.assert_close(powers(torch.tensor(base, dtype=torch.complex128), count), expected)


def test_unit_disk_and_its_gradients_through_zero(device: torch.device) -> None:
    z = torch.tensor([0.0, 1e-5j, 1e-4, 0.3 - 0.1j, -2j, 30.0], dtype=torch.complex128, device=device)
    radius = z.abs()
    torch.testing.assert_close(to_unit_disk(z).abs(), torch.tanh(radius))
    torch.testing.assert_close(to_unit_disk(z)[1:].angle(), z[1:].angle())
    assert torch.autograd.gradcheck(to_unit_disk, z.requires_grad_())


def test_soft_impulse_gradients(device: torch.device, generator: torch.Generator) -> None:
    zeta = random_disk(generator, 3).to(device).requires_grad_()
    assert torch.autograd.gradcheck(lambda value: soft_impulse(value, 9), zeta)


def test_normalized_gradient_keeps_direction_and_loses_magnitude() -> None:
    z = torch.ones(3, dtype=torch.complex128, requires_grad=True)
    gradient = torch.tensor([3 + 4j, 1e-3j, 0.0], dtype=torch.complex128)
    normalize_gradient(z).backward(gradient)
    torch.testing.assert_close(z.grad, torch.tensor([0.6 + 0.8j, 1j, 0], dtype=torch.complex128), rtol=0, atol=2e-4)
