"""What an engineer knows of compressors and gates; pedalboard as oracle of the static curves."""

from __future__ import annotations

import math

import numpy as np
import pedalboard
import pytest
import torch

from mixgraph.config import ProcessorConfig
from mixgraph.processors.base import PROCESSORS, DynamicsProcessor, Processor

RATE = 30_000


def make(name: str, form: str = "physical", rate: int = RATE) -> Processor:
    return PROCESSORS[name](rate, ProcessorConfig.model_validate({"dynamics_form": form}))


def settings(processor: Processor, **physical: float) -> dict[str, torch.Tensor]:
    values = {"threshold_db": -20.0, "ratio": 2.0, "knee_db": 0.01, "smoothing_ms": 5.0} | physical
    return processor.raw({key: torch.tensor([value], dtype=torch.float64) for key, value in values.items()})


def steady_output_db(processor: Processor, raw: dict[str, torch.Tensor], input_db: float) -> float:
    """Level that a constant signal of a level settles at."""
    signal = torch.full((1, 2, RATE // 2), 10 ** (input_db / 20), dtype=torch.float64)
    return 20 * math.log10(processor.process(signal, raw)[0, 0, -1])


@pytest.mark.parametrize("ratio", [1.5, 2.0, 4.0, 20.0])
@pytest.mark.parametrize("input_db", [-30.0, -21.0, -19.0, -10.0, -3.0])
def test_compressor_curve_is_pedalboards(ratio: float, input_db: float) -> None:
    ours = make("compressor")
    other = pedalboard.Compressor(threshold_db=-20, ratio=ratio, attack_ms=1, release_ms=1)
    constant = np.full((2, RATE), 10 ** (input_db / 20), np.float32)
    expected_db = 20 * math.log10(other(constant, RATE)[0, -1])
    # The floor of 1e-5 under the energy lifts quiet levels by up to 0.05 dB.
    assert steady_output_db(ours, settings(ours, ratio=ratio), input_db) == pytest.approx(expected_db, abs=0.06)


@pytest.mark.parametrize("ratio", [1.5, 2.0, 4.0])
@pytest.mark.parametrize("input_db", [-26.0, -21.0, -15.0])
def test_gate_curve_is_pedalboards(ratio: float, input_db: float) -> None:
    ours = make("noise_gate")
    other = pedalboard.NoiseGate(threshold_db=-20, ratio=ratio, attack_ms=1, release_ms=1)
    constant = np.full((2, RATE), 10 ** (input_db / 20), np.float32)
    expected_db = 20 * math.log10(other(constant, RATE)[0, -1])
    assert steady_output_db(ours, settings(ours, ratio=ratio), input_db) == pytest.approx(expected_db, abs=0.1)


def test_two_to_one_halves_the_decibels_above_the_threshold_of_a_sine() -> None:
    processor = make("compressor")
    raw = settings(processor, threshold_db=-20.0, ratio=2.0, smoothing_ms=200.0)
    sine = torch.sin(2 * torch.pi * 1_000 / RATE * torch.arange(3 * RATE, dtype=torch.float64)).expand(1, 2, -1)
    output = processor.process(sine, raw)[0, 0, -RATE:]
    level_db = 10 * math.log10(output.square().mean())
    assert level_db == pytest.approx(-20 + (-3.01 + 20) / 2, abs=0.05)


def test_published_form_makes_a_limiter_of_two_to_one() -> None:
    published = make("compressor", "published")
    raw = settings(published, ratio=2.0)
    assert [steady_output_db(published, raw, level) for level in (-15, -5)] == pytest.approx([-20, -20], abs=0.05)
    physical = make("compressor")
    signal = 0.5 * torch.randn(1, 2, 500, dtype=torch.float64)
    assert isinstance(physical, DynamicsProcessor) and isinstance(published, DynamicsProcessor)
    torch.testing.assert_close(physical.gain(signal, raw).square(), published.gain(signal, raw))


def test_knee_is_as_wide_as_it_says() -> None:
    processor = make("compressor")
    raw = settings(processor, threshold_db=-12.0, ratio=4.0, knee_db=10.0)
    change_db = {level: steady_output_db(processor, raw, level) - level for level in (-17.5, -16.5, -12.0, -6.5)}
    assert change_db[-17.5] == pytest.approx(0, abs=1e-6) and change_db[-16.5] < -1e-3
    assert change_db[-12.0] == pytest.approx(-0.75 * 10 / 8, abs=0.01)
    assert change_db[-6.5] == pytest.approx(-0.75 * 5.5, abs=0.01)


@pytest.mark.parametrize("rate", [30_000, 44_100])
def test_smoothing_is_a_time_constant(rate: int) -> None:
    """After one time constant the envelope of a step has risen to 1 - 1/e of its energy."""
    processor = make("compressor", rate=rate)
    raw = settings(processor, threshold_db=-40.0, ratio=1e6, smoothing_ms=50.0)
    gain = processor.process(torch.ones(1, 2, rate, dtype=torch.float64), raw)[0, 0]
    assert float(1e-4 / gain[round(0.05 * rate) - 1] ** 2) == pytest.approx(1 - 1 / math.e, rel=1e-3)


@pytest.mark.parametrize("name", ["compressor", "noise_gate"])
@pytest.mark.parametrize("length", [2_000, 2_001])
def test_gain_never_boosts_and_is_the_same_on_both_channels(name: str, length: int, generator: torch.Generator) -> None:
    processor = make(name)
    assert isinstance(processor, DynamicsProcessor)
    signal = torch.randn(1, 2, length, dtype=torch.float64, generator=generator) * torch.tensor([[0.5], [0.05]])
    gain = processor.gain(signal, settings(processor, knee_db=12.0))
    assert gain.shape == (1, 1, length) and 0 < gain.min() < 0.99 and gain.max() <= 1
    torch.testing.assert_close(processor.process(signal, settings(processor, knee_db=12.0)), signal * gain)


def test_gate_lets_loud_pass_and_turns_quiet_down() -> None:
    gate = make("noise_gate")
    raw = settings(gate, threshold_db=-20.0, ratio=3.0)
    assert steady_output_db(gate, raw, -10.0) == pytest.approx(-10.0, abs=1e-6)
    assert steady_output_db(gate, raw, -25.0) == pytest.approx(-35.0, abs=0.1)


def test_summaries_read_like_settings() -> None:
    texts = {}
    for name in ("compressor", "noise_gate"):
        processor = make(name)
        physical = processor.physical(settings(processor, threshold_db=-22.04, ratio=2.6, knee_db=6, smoothing_ms=12))
        texts[name] = processor.summary({key: value[0] for key, value in physical.items()})
    assert texts["compressor"] == "threshold -22.0 dB, ratio 2.6:1, knee 6.0 dB, smoothing 12 ms"
    assert texts["noise_gate"] == "threshold -22.0 dB, ratio 1:2.6, knee 6.0 dB, smoothing 12 ms"
