"""The audio loss against auraloss, the golden values and its own laws."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from auraloss.freq import STFTLoss
from torch import Tensor

from mixgraph.config import LossConfig
from mixgraph.errors import ConfigError
from mixgraph.loss.mix_loss import Convergence, MixLoss

CONVENTIONS: tuple[tuple[Convergence, Convergence], ...] = (("target", "published"), ("published", "target"))
TERMS = ("total", "left_right", "mid", "side")
SMALL: dict[str, Any] = {"fft_sizes": (16, 32), "mel_bands": 6, "weighting_taps": 11, "warm_up_seconds": 0}


def noise(generator: torch.Generator, samples: int, level: float = 0.1) -> Tensor:
    """Stereo noise with correlated channels and a decaying envelope, so that no two terms agree by chance."""
    left, other = level * torch.randn(2, samples, generator=generator, dtype=torch.float64)
    fade = torch.linspace(1, 0.1, samples, dtype=torch.float64)
    return torch.stack((left, 0.4 * left + 0.7 * other)) * fade


@pytest.mark.parametrize("estimate", ["estimate", "estimate_mono"])
@pytest.mark.parametrize(("convergence", "golden"), [("target", "targetnorm"), ("published", "published")])
def test_golden_values(shared: Path, estimate: str, convergence: Convergence, golden: str) -> None:
    values = np.load(shared / "golden" / "loss.npz")
    loss = MixLoss(LossConfig(convergence=convergence), 30_000)
    terms = loss.compare(
        estimate=loss.features(torch.tensor(values[estimate])),
        target=loss.features(torch.tensor(values["target"])),
    )
    for term in TERMS:
        expected = float(values[f"{estimate}_{golden}_{term}"])
        assert getattr(terms, term).item() == pytest.approx(expected, rel=1e-5, abs=2e-6), term


@pytest.mark.parametrize("sample_rate", [30_000, 44_100, 48_000])
@pytest.mark.parametrize("size", [512, 1_024, 4_096])
@pytest.mark.parametrize("convergence", ["target", "published"])
def test_every_resolution_equals_auraloss(
    sample_rate: int, size: int, convergence: Convergence, generator: torch.Generator
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oracle = STFTLoss(
            size, size // 4, size, sample_rate=sample_rate, scale="mel", n_bins=96, perceptual_weighting=True, eps=1e-4,
            output="full",
        )  # fmt: skip
    # At 44.1 and 48 kHz some bands of the shortest FFT hold no bin; auraloss returns NaN unless they are left out.
    oracle.fb = oracle.fb[:, oracle.fb[0].any(dim=1)]
    first, second = (noise(generator, 20_000).float() for _ in range(2))
    expected = []
    for estimate, target in zip(four(first), four(second), strict=True):
        pair = (estimate, target) if convergence == "target" else (target, estimate)
        _, spectral_convergence, log_magnitude, *_ = oracle(*(channel[None, None] for channel in pair))
        expected.append(spectral_convergence + log_magnitude)

    loss = MixLoss(LossConfig(fft_sizes=(size,), warm_up_seconds=0), sample_rate)
    features = loss.features(first), loss.features(second)
    terms = loss.compare(estimate=features[0], target=features[1], convergence=convergence)
    left, right, mid, side = expected
    torch.testing.assert_close(terms.left_right, (left + right) / 2, rtol=1e-4, atol=0)
    torch.testing.assert_close(terms.mid, mid, rtol=1e-4, atol=0)
    torch.testing.assert_close(terms.side, side, rtol=1e-4, atol=0)
    torch.testing.assert_close(terms.total, (left + right + mid + side) / 4, rtol=1e-4, atol=0)


def four(signal: Tensor) -> tuple[Tensor, ...]:
    left, right = signal
    return left, right, left + right, left - right


@pytest.mark.parametrize("convergence", ["target", "published"])
def test_resolutions_are_averaged_and_terms_weighted(convergence: Convergence, generator: torch.Generator) -> None:
    first, second = noise(generator, 9_000), noise(generator, 9_000)
    weights = {"left_right_weight": 0.7, "mid_weight": 0.2, "side_weight": 0.4}
    settings: dict[str, Any] = {"warm_up_seconds": 0.1, "convergence": convergence} | weights

    def terms(sizes: tuple[int, ...]) -> dict[str, float]:
        loss = MixLoss(LossConfig(fft_sizes=sizes, **settings), 30_000)
        result = loss.compare(estimate=loss.features(first), target=loss.features(second))
        return {term: getattr(result, term).item() for term in TERMS}

    sizes = (256, 1_024, 512)
    together, apart = terms(sizes), [terms((size,)) for size in sizes]
    for term in TERMS:
        assert together[term] == pytest.approx(sum(single[term] for single in apart) / 3)
    weighted = 0.7 * together["left_right"] + 0.2 * together["mid"] + 0.4 * together["side"]
    assert together["total"] == pytest.approx(weighted)


def test_identical_signals_cost_nothing(generator: torch.Generator) -> None:
    loss = MixLoss(LossConfig(), 30_000)
    features = loss.features(noise(generator, 40_000))
    for terms in loss.both(estimate=features, target=features).values():
        assert all(getattr(terms, term).item() == 0 for term in TERMS)


@pytest.mark.parametrize(("factor", "target_norm", "estimate_norm"), [(2, 1, 0.5), (0.5, 0.5, 1), (4, 3, 0.75)])
def test_scale_law(factor: float, target_norm: float, estimate_norm: float, generator: torch.Generator) -> None:
    loss = MixLoss(LossConfig(power_floor=1e-30), 30_000)
    target = noise(generator, 40_000)
    both = loss.both(estimate=loss.features(factor * target), target=loss.features(target))
    logarithm = abs(np.log(factor))
    for term in TERMS:
        assert getattr(both["target"], term).item() == pytest.approx(logarithm + target_norm)
        assert getattr(both["published"], term).item() == pytest.approx(logarithm + estimate_norm)


def test_both_equals_compare_and_swapping_equals_the_other_convention(generator: torch.Generator) -> None:
    loss = MixLoss(LossConfig(), 30_000)
    first, second = (loss.features(noise(generator, 40_000)) for _ in range(2))
    both = loss.both(estimate=first, target=second)
    for name, other in CONVENTIONS:
        direct = loss.compare(estimate=first, target=second, convergence=name)
        swapped = loss.compare(estimate=second, target=first, convergence=other)
        for term in TERMS:
            assert getattr(both[name], term).item() == getattr(direct, term).item()
            assert getattr(both[name], term).item() == pytest.approx(getattr(swapped, term).item())
    assert both["target"].total.item() != pytest.approx(both["published"].total.item())
    with pytest.raises(TypeError):
        loss.compare(first, second)  # type: ignore[misc]


def test_warm_up_does_not_count(generator: torch.Generator) -> None:
    loss = MixLoss(LossConfig(warm_up_seconds=0.5), 8_000)
    signal = noise(generator, 9_000)
    changed = torch.cat((noise(generator, 4_000), signal[:, 4_000:]), dim=1)
    early = loss.compare(estimate=loss.features(changed), target=loss.features(signal))
    assert early.total.item() == 0
    changed[:, 4_000] += 1
    late = loss.compare(estimate=loss.features(changed), target=loss.features(signal))
    assert late.total.item() > 0


@pytest.mark.parametrize("content", ["noise", "silence", "half silent", "mono"])
@pytest.mark.parametrize("convergence", ["target", "published"])
def test_gradcheck(content: str, convergence: Convergence, device: torch.device, generator: torch.Generator) -> None:
    loss = MixLoss(LossConfig(convergence=convergence, **SMALL), 8_000)
    target, signal = noise(generator, 90, 1.0), noise(generator, 90, 1.0)
    if content == "silence":
        signal.zero_()
    elif content == "half silent":
        signal[:, :60] = 0
    elif content == "mono":
        signal[1] = signal[0]
        target[1] = target[0]
    features = loss.features(target.to(device))

    def total(estimate: Tensor) -> Tensor:
        return loss.compare(estimate=loss.features(estimate), target=features).total

    leaf = signal.to(device).requires_grad_()
    assert torch.autograd.gradcheck(total, leaf)
    (gradient,) = torch.autograd.grad(total(leaf), leaf)
    assert bool(gradient.any()) == (content != "silence")


def test_silence_on_either_side_is_finite() -> None:
    loss = MixLoss(LossConfig(), 30_000)
    silence = torch.zeros(2, 40_000)
    loud = torch.ones_like(silence).cumsum(1).sin()
    for estimate, target in ((silence, loud), (loud, silence), (silence, silence)):
        leaf = estimate.clone().requires_grad_()
        for terms in loss.both(estimate=loss.features(leaf), target=loss.features(target)).values():
            assert terms.total.isfinite()
            (gradient,) = torch.autograd.grad(terms.total, leaf, retain_graph=True)
            assert gradient.isfinite().all()


def test_not_a_number_is_not_hidden(generator: torch.Generator) -> None:
    loss = MixLoss(LossConfig(), 30_000)
    target = noise(generator, 40_000)
    broken = target.clone()
    broken[0, 35_000] = torch.nan
    assert loss.compare(estimate=loss.features(broken), target=loss.features(target)).total.isnan()


def test_one_loss_follows_every_signal_and_serves_training_after_inference(
    device: torch.device, generator: torch.Generator
) -> None:
    loss = MixLoss(LossConfig(), 30_000)
    for dtype in (torch.float32, torch.float64):
        signal = noise(generator, 40_000).to(device, dtype)
        with torch.inference_mode():
            loss.features(signal)
        with torch.no_grad():
            target = loss.features(signal)
        leaf = (0.5 * signal).requires_grad_()
        terms = loss.compare(estimate=loss.features(leaf), target=target)
        terms.total.backward()
        assert (terms.total.dtype, terms.total.device, terms.total.shape) == (dtype, signal.device, ())
        assert not target.mel[0].requires_grad
        # The estimate is too quiet everywhere, so growing it lowers the loss.
        assert leaf.grad is not None
        assert (leaf.grad * leaf).sum() < 0


def test_refuses_segments_and_sizes_that_cannot_work() -> None:
    with pytest.raises(ConfigError, match=r"2048 samples follow the warm-up of 1.0 s, but the loss needs 2049"):
        MixLoss(LossConfig(), 30_000).features(torch.zeros(2, 32_048))
    MixLoss(LossConfig(), 30_000).features(torch.zeros(2, 32_049))
    with pytest.raises(ConfigError, match="fft_sizes: 1026 is not a positive multiple of 4"):
        MixLoss(LossConfig(fft_sizes=(512, 1_026)), 30_000)
