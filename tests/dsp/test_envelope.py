"""The one-pole envelope against scipy and its closed form; filter and scan against each other."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
import torch

from mixgraph.dsp import envelope
from mixgraph.dsp.envelope import accumulate_by_filter, accumulate_by_scan, one_pole

ACCUMULATORS = {"filter": accumulate_by_filter, "scan": accumulate_by_scan}
POLES = torch.tensor([0.0, 0.3, 0.999, 1 - 1e-5], dtype=torch.float64)


@pytest.fixture(params=ACCUMULATORS)
def accumulator(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(envelope, "accumulate", ACCUMULATORS[request.param])
    return request.param


@pytest.mark.parametrize("length", [1, 2, 64, 1001])
def test_is_scipys_filter(accumulator: str, length: int, generator: torch.Generator) -> None:
    energy = torch.rand(4, length, dtype=torch.float64, generator=generator)
    for dtype, tolerance in ((torch.float64, 1e-10), (torch.float32, 2e-5)):
        poles = POLES.to(dtype)
        rows = zip(poles.tolist(), energy.numpy(), strict=True)
        expected = np.array([scipy.signal.lfilter([1 - pole], [1, -pole], row) for pole, row in rows])
        ours = one_pole(energy.to(dtype), poles)
        torch.testing.assert_close(ours, torch.tensor(expected, dtype=dtype), rtol=tolerance, atol=tolerance / 100)


def test_step_response_is_one_minus_a_power(accumulator: str) -> None:
    n = torch.arange(1, 301, dtype=torch.float64)
    torch.testing.assert_close(one_pole(torch.ones(4, 300, dtype=torch.float64), POLES), 1 - POLES[:, None] ** n)


@pytest.mark.parametrize("scale", [0.0, 1.0])
def test_gradients(accumulator: str, scale: float, device: torch.device, generator: torch.Generator) -> None:
    if accumulator == "filter" and device.type != "cpu":
        pytest.skip("the filter runs on the CPU only")
    energy = (scale * torch.rand(3, 9, dtype=torch.float64, generator=generator)).to(device).requires_grad_()
    poles = torch.tensor([0.01, 0.7, 0.99999], dtype=torch.float64, device=device, requires_grad=True)
    assert torch.autograd.gradcheck(one_pole, (energy, poles))


def test_default_accumulator_follows_the_device(device: torch.device, generator: torch.Generator) -> None:
    energy = torch.rand(2, 3, 501, dtype=torch.float64, generator=generator)
    poles = torch.rand(2, 3, dtype=torch.float64, generator=generator)
    expected = accumulate_by_filter(energy, poles)
    torch.testing.assert_close(envelope.accumulate(energy.to(device), poles.to(device)).cpu(), expected)
