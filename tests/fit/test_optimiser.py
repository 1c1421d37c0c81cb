"""Adam over a bank: relative rates, memories of gradients, and a state that can be taken away and brought back."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from mixgraph.config import FitConfig, make_config
from mixgraph.fit.optimiser import EQUALIZER, Optimiser
from mixgraph.processors.bank import ParameterBank
from mixgraph.processors.base import PROCESSORS
from tests.engine import small_processors


@pytest.fixture
def bank() -> ParameterBank:
    ids = {kind: (f"a/{kind}", f"b/{kind}") for kind in PROCESSORS}
    return ParameterBank.initial(ids, small_processors(), std=0.5, generator=torch.Generator().manual_seed(0))


def everywhere(bank: ParameterBank, gradient: float) -> list[Tensor]:
    """The same gradient for all that there is."""
    return [torch.full_like(tensor, gradient) for tensor in bank.flatten().values()]


def descend(bank: ParameterBank, config: FitConfig, gradients: list[float]) -> dict[str, Tensor]:
    """Where a copy of the bank is after a step at rate 0.1 with each of these gradients, relative to the bank."""
    moved = bank.to("cpu")
    optimiser = Optimiser(moved, config, {})
    for gradient in gradients:
        optimiser.step(everywhere(moved, gradient), 0.1)
    return {name: tensor.detach() - bank.flatten()[name] for name, tensor in moved.flatten().items()}


def test_only_the_magnitudes_of_equalizers_learn_at_the_relative_rate(bank):
    assert EQUALIZER in bank.flatten()
    for name, moved in descend(bank, FitConfig(equalizer_rate=0.5), [1.0]).items():
        expected = -0.05 if name == EQUALIZER else -0.1
        torch.testing.assert_close(moved, torch.full_like(moved, expected), rtol=1e-4, atol=1e-6)


def test_without_memory_a_step_goes_by_the_sign_of_its_own_gradient(bank):
    config = FitConfig(gradient_decay=0.0, squared_gradient_decay=0.0)
    for moved in descend(bank, config, [5.0, -0.1, -3.0]).values():
        torch.testing.assert_close(moved, torch.full_like(moved, 0.1), rtol=1e-4, atol=1e-6)


def test_defaults_are_plain_adamw_bit_for_bit(bank):
    gradients = [1.0, -0.5, 2.0]
    plain = bank.to("cpu")
    leaves = plain.require_grad()
    adam = torch.optim.AdamW(leaves, lr=0.1, weight_decay=0.0)
    for gradient in gradients:
        for leaf, slope in zip(leaves, everywhere(plain, gradient), strict=True):
            leaf.grad = slope
        adam.step()
    for name, moved in descend(bank, FitConfig(), gradients).items():
        assert torch.equal(moved, plain.flatten()[name].detach() - bank.flatten()[name]), name


def test_the_paper_keeps_plain_adamw():
    paper = make_config("paper").fit
    assert (paper.gradient_decay, paper.squared_gradient_decay, paper.equalizer_rate) == (0.9, 0.999, 1.0)
    assert (paper.optimiser, paper.learning_rate_schedule) == ("adamw", "constant")
    assert paper.segments_per_step == 1


def test_nesterov_momentum_is_of_constant_weight(bank):
    """By hand, from Dozat (2016) with one momentum for all steps."""
    config = FitConfig(optimiser="nadam", gradient_decay=0.8, squared_gradient_decay=0.5)
    first, second, at = 0.0, 0.0, 0.0
    gradients = [1.0, -0.5, 2.0, 0.3]
    for step, gradient in enumerate(gradients, 1):
        first, second = 0.8 * first + 0.2 * gradient, 0.5 * second + 0.5 * gradient**2
        ahead = 0.8 * first / (1 - 0.8 ** (step + 1)) + 0.2 * gradient / (1 - 0.8**step)
        at -= 0.1 * ahead / math.sqrt(second / (1 - 0.5**step))
    for moved in descend(bank, config, gradients).values():
        torch.testing.assert_close(moved, torch.full_like(moved, at), rtol=1e-4, atol=1e-5)


def test_nadam_is_that_of_torch_without_its_schedule(bank):
    config = FitConfig(optimiser="nadam", gradient_decay=0.8, squared_gradient_decay=0.95)
    gradients = [1.0, -0.5, 2.0, 0.3, 0.0, -4.0]
    plain = bank.to("cpu")
    leaves = plain.require_grad()
    # With this decay the momentum is constant from the first step on.
    adam = torch.optim.NAdam(leaves, lr=0.1, betas=(0.8, 0.95), momentum_decay=math.inf)
    for gradient in gradients:
        for leaf, slope in zip(leaves, everywhere(plain, gradient), strict=True):
            leaf.grad = slope
        adam.step()
    for name, moved in descend(bank, config, gradients).items():
        torch.testing.assert_close(moved, plain.flatten()[name].detach() - bank.flatten()[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("optimiser", ["adamw", "nadam"])
def test_a_state_brought_back_goes_on_to_the_same_bits(optimiser, bank):
    config = FitConfig(optimiser=optimiser, equalizer_rate=0.5, gradient_decay=0.8, squared_gradient_decay=0.99)
    whole, broken = bank.to("cpu"), bank.to("cpu")
    one, other = Optimiser(whole, config, {}), Optimiser(broken, config, {})
    for number in range(4):
        one.step(everywhere(whole, number - 1.5), 0.1)
        if number == 2:
            other = Optimiser(broken, config, other.state())
        other.step(everywhere(broken, number - 1.5), 0.1)
    for name, tensor in whole.flatten().items():
        assert torch.equal(tensor, broken.flatten()[name]), name
