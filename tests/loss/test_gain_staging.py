"""Levels, gain staging and the ramp of the sparsity penalty."""

from __future__ import annotations

import math

import pytest
import torch

from mixgraph.config import LossConfig
from mixgraph.dsp.level import LevelPair, mean_square_level
from mixgraph.loss.gain_staging import gain_staging
from mixgraph.loss.sparsity import sparsity_weight


def test_levels_of_known_signals() -> None:
    signal = torch.tensor([[[1.0, -1.0], [1.0, -1.0]], [[2.0, 2.0], [-2.0, -2.0]], [[3.0, 0.0], [0.0, 0.0]]])
    torch.testing.assert_close(mean_square_level(signal, "stereo"), torch.tensor([1.0, 4.0, 2.25]))
    torch.testing.assert_close(mean_square_level(signal, "mid"), torch.tensor([4.0, 0.0, 4.5]))


def test_sums_the_absolute_log_change_of_every_node_of_every_type() -> None:
    levels = {
        "equalizer": LevelPair(dry=torch.tensor([0.1, 0.1]), wet=torch.tensor([0.2, 0.05])),
        "reverb": LevelPair(dry=torch.tensor([0.0, 1.0]), wet=torch.tensor([0.0, 1.0])),
        "multitap_delay": LevelPair(dry=torch.tensor([0.0]), wet=torch.tensor([1.0])),
    }
    assert gain_staging(levels).item() == pytest.approx(2 * math.log(2) + math.log(1e7), rel=1e-5)
    assert gain_staging({}).item() == 0


def test_gradcheck_including_silence(generator: torch.Generator) -> None:
    signal = torch.randn(3, 2, 16, dtype=torch.float64, generator=generator)
    signal[1] = 0
    gain = torch.tensor([0.5, 2.0, 3.0], dtype=torch.float64, requires_grad=True)

    def loss(gain: torch.Tensor) -> torch.Tensor:
        wet = signal * gain[:, None, None]
        return gain_staging({"g": LevelPair(mean_square_level(signal, "mid"), mean_square_level(wet, "mid"))})

    assert torch.autograd.gradcheck(loss, gain)
    # Far from silence, each |ln g^2| has the slope 2 / g, negative below unity.
    (slope,) = torch.autograd.grad(loss(gain), gain)
    torch.testing.assert_close(slope, torch.tensor([-4.0, 0.0, 2 / 3], dtype=torch.float64), rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize(
    ("ramp", "step", "share"), [(2_000, 0, 0), (2_000, 500, 0.25), (2_000, 2_000, 1), (2_000, 9_999, 1), (0, 0, 1)]
)
def test_sparsity_rises_linearly_then_stays(ramp: int, step: int, share: float) -> None:
    config = LossConfig(sparsity_weight=3e-4, sparsity_ramp_steps=ramp)
    assert sparsity_weight(step, config) == pytest.approx(3e-4 * share)
