"""What an engineer knows of reverbs."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
import torch
from torch import Tensor

from mixgraph.config import ProcessorConfig
from mixgraph.processors.reverb import Reverb


def settings(processor: Reverb, t60_s: Tensor | float, side_db: float = 0.0) -> dict[str, Tensor]:
    bins = processor.config.reverb_fft_size // 2 + 1
    initial_db = torch.tensor([[[0.0], [side_db]]], dtype=torch.float64).expand(1, 2, bins)
    times = torch.as_tensor(t60_s, dtype=torch.float64).expand(1, 2, bins)
    return processor.raw({"initial_db": initial_db, "t60_s": times})


def measured_t60_s(response: np.ndarray, rate: int) -> float:
    """T60 from the slope of Schroeder's backward integral between -5 and -25 dB (ISO 3382: T20)."""
    decay_db = 10 * np.log10(np.cumsum(response[::-1] ** 2)[::-1] / np.sum(response**2))
    inside = (decay_db < -5) & (decay_db > -25)
    slope, _ = np.polyfit(np.arange(len(response))[inside] / rate, decay_db[inside], 1)
    return -60 / slope


@pytest.mark.parametrize("rate", [30_000, 44_100])
@pytest.mark.parametrize("t60_s", [0.3, 1.0])
def test_response_decays_in_the_time_it_says(rate: int, t60_s: float) -> None:
    processor = Reverb(rate, ProcessorConfig())
    for channel in processor.impulse_response(settings(processor, t60_s)).taps[0].numpy():
        assert measured_t60_s(channel, rate) == pytest.approx(t60_s, rel=0.05)


def test_bands_decay_on_their_own() -> None:
    processor = Reverb(30_000, ProcessorConfig())
    hz = torch.arange(193) * 30_000 / 384
    times = torch.where(hz < 250, 1.4, torch.where(hz < 4_000, 0.8, 0.3)).double()
    raw = settings(processor, times, side_db=-3.0)
    left = processor.impulse_response(raw).taps[0, 0].numpy()
    for low, high, expected in [(600, 3_000, 0.8), (6_000, 12_000, 0.3)]:
        sos = scipy.signal.butter(6, [low, high], "bandpass", fs=30_000, output="sos")
        assert measured_t60_s(np.asarray(scipy.signal.sosfilt(sos, left)), 30_000) == pytest.approx(expected, rel=0.08)
    physical = {key: value[0] for key, value in processor.physical(raw).items()}
    assert processor.summary(physical) == "T60 1.4 s low, 0.8 s mid, 0.3 s high; side -3.0 dB"
    assert "> 10 s low" in processor.summary(physical | {"t60_s": torch.full((2, 193), 1e9)})


@pytest.mark.parametrize("seconds", [2.0, 0.5003])
def test_response_is_causal_with_unit_energy(seconds: float, generator: torch.Generator) -> None:
    processor = Reverb(30_000, ProcessorConfig(reverb_seconds=seconds))
    parameters = {spec.name: torch.randn(2, *spec.shape, generator=generator) for spec in processor.parameters}
    response = processor.impulse_response(parameters)
    assert response.origin == 0 and response.taps.shape == (2, 2, round(seconds * 30_000))
    torch.testing.assert_close(response.taps.square().sum(-1).mean(-1), torch.ones(2))


def test_without_side_left_and_right_are_equal() -> None:
    processor = Reverb(30_000, ProcessorConfig())
    left, right = processor.impulse_response(settings(processor, 1.0, side_db=-300.0)).taps[0]
    torch.testing.assert_close(left, right)
    left, right = processor.impulse_response(settings(processor, 1.0)).taps[0]
    assert np.corrcoef(left, right)[0, 1] == pytest.approx(0, abs=0.1), "mid and side of one level are wide"


def test_noise_is_the_published_one_and_follows_its_seed() -> None:
    """Without a mask to speak of, l + r and l - r are the seeded uniform noises, up to the normalisation."""
    for seed in (0, 5):
        processor = Reverb(30_000, ProcessorConfig(reverb_noise_seed=seed))
        left, right = processor.impulse_response(settings(processor, 1e9)).taps[0]
        noise = np.random.RandomState(seed).uniform(-1, 1, size=(2, 60_000))
        for ours, expected in zip((left + right, left - right), noise, strict=True):
            assert np.corrcoef(ours, expected)[0, 1] == pytest.approx(1, abs=1e-6)
