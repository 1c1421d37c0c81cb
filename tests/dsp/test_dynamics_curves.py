"""Static curves against the paper's three-piece formula."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import pytest
import torch
from torch import Tensor

from mixgraph.dsp.compiled import usable
from mixgraph.dsp.dynamics import Knee, apply_knee, envelope_gain, knee_gain

FLOOR = 1e-5


def double(*values: float, device: torch.device | None = None) -> Tensor:
    return torch.tensor([values], dtype=torch.float64, device=device)


def compressor_piecewise(G: float, T: float, R: float, W: float) -> float:
    if G < T - W:
        return G
    return T + (G - T) / R if G > T + W else G + (1 / R - 1) * (G - T + W) ** 2 / (4 * W)


def gate_piecewise(G: float, T: float, R: float, W: float) -> float:
    if G < T - W:
        return T + R * (G - T)
    return G if G > T + W else G + (1 - R) * (G - T - W) ** 2 / (4 * W)


def compressor_gain(envelope: Tensor, T: Tensor, R: Tensor, W: Tensor, exponent: float) -> Tensor:
    return knee_gain(envelope, Knee(T, exponent * (1 / R - 1), W, torch.zeros_like(T), 1, FLOOR))


def gate_gain(envelope: Tensor, T: Tensor, R: Tensor, W: Tensor, exponent: float) -> Tensor:
    return knee_gain(envelope, Knee(T, exponent * (1 - R), W, torch.zeros_like(T), -1, FLOOR))


CURVES = {"compressor": (compressor_gain, compressor_piecewise), "gate": (gate_gain, gate_piecewise)}


@pytest.fixture(params=CURVES)
def curve(request: pytest.FixtureRequest) -> tuple[Callable, Callable]:
    return CURVES[request.param]


@pytest.mark.parametrize("exponent", [0.5, 1.0])
@pytest.mark.parametrize("T, R, W", [(-6.0, 2.0, 0.5), (-3.0, 1.0, 1e-3), (-9.0, 20.0, 4.0), (0.0, 1.5, 0.05)])
def test_is_the_papers_formula(curve: tuple[Callable, Callable], T: float, R: float, W: float, exponent: float) -> None:
    ours, formula = curve
    log_energy = np.linspace(-11.4, 3, 501)
    envelope = torch.tensor(np.exp(log_energy) - FLOOR)[None]
    expected = [np.exp(exponent * (formula(G, T, R, W) - G)) for G in log_energy]
    parameters = (double(value)[0] for value in (T, R, W))
    torch.testing.assert_close(ours(envelope, *parameters, exponent), torch.tensor([expected]))


@pytest.mark.parametrize("T, R, W", [(-6.0, 2.0, 0.5), (-13.0, 1.0, 0.01), (-2.0, 30.0, 3.0), (-11.0, 1e3, 50.0)])
def test_gradients_also_at_silence(
    curve: tuple[Callable, Callable], T: float, R: float, W: float, device: torch.device
) -> None:
    envelope = double(0.0, 1e-7, 1e-4, 3e-3, 0.1, 1.0, device=device).requires_grad_()
    parameters = [double(value, device=device)[0].requires_grad_() for value in (T, R, W)]
    inputs = (envelope, *parameters)
    # Finite differences of the logarithm need steps far below the floor of the energy.
    assert torch.autograd.gradcheck(lambda *x: curve[0](*x, 0.5), inputs, eps=1e-9, atol=1e-4, rtol=1e-4)


def test_no_knee_at_all_is_a_corner(curve: tuple[Callable, Callable]) -> None:
    ours, formula = curve
    log_energy = double(-7.0, -6.001, -5.999, -2.0)
    corner = (double(value)[0].requires_grad_() for value in (-6.0, 3.0, 0.0))
    gain = ours(log_energy.exp() - FLOOR, *corner, 1.0)
    expected = double(*(formula(G, -6.0, 3.0, 0.0) - G for G in log_energy[0].tolist()))
    torch.testing.assert_close(gain.log(), expected)
    gain.sum().backward()


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("length", [1, 511, 512, 1_025])
@pytest.mark.usefixtures("threads")
def test_compiled_is_as_written(sign: Literal[1, -1], length: int, generator: torch.Generator) -> None:
    """The compiled loop in single precision against plain torch in double, at silence and at extremes."""
    swell = torch.cat([torch.zeros(length // 3), torch.logspace(-4, 1, length - length // 3)])
    signal = torch.randn(5, 2, length, generator=generator) * swell
    settings = torch.tensor(
        [
            [-6.0, -3.0, -1.0, -20.0, 2.0],
            [-0.4, -0.9, 0.0, -0.2, -30.0],
            [0.5, 3.0, 0.0, 8.0, 1e-3],
            [0.5, 1 - 1e-5, 0.0, 0.99, 0.9],
            [0.5, 0.9, 1.0, 0.0, 0.3],
        ]
    )
    toward = torch.randn(signal.shape, generator=generator)

    def outcome(dtype: torch.dtype) -> tuple[Tensor, ...]:
        u, *values = (x.detach().to(dtype).requires_grad_() for x in (signal, *settings))
        threshold, rate, half_knee, smoothing, weight = values
        output = apply_knee(u, Knee(threshold, rate, half_knee, smoothing, sign, FLOOR), weight)
        output.backward(toward.to(dtype))
        return output.detach(), *(leaf.grad for leaf in (u, *values) if leaf.grad is not None)

    found, wanted = outcome(torch.float32), outcome(torch.float64)
    assert usable(found[0]) and not usable(wanted[0]) and len(found) == 7
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one.double(), other, rtol=1e-4, atol=2e-5 * float(other.abs().max()) + 1e-30)


def test_as_written_mixes_dry_and_wet(generator: torch.Generator) -> None:
    signal = torch.randn(2, 2, 60, dtype=torch.float64, generator=generator)
    threshold, rate, half_knee, smoothing, weight = torch.tensor(
        [[-3.0, -1.0], [-0.5, -0.3], [1.0, 0.2], [0.7, 0.9], [0.25, 1.0]], dtype=torch.float64
    )
    knee = Knee(threshold, rate, half_knee, smoothing, 1, FLOOR)
    wet = signal * envelope_gain(signal, knee)
    expected = weight[:, None, None] * wet + (1 - weight[:, None, None]) * signal
    torch.testing.assert_close(apply_knee(signal, knee, weight), expected)
