"""What an engineer knows of gain, width and equalisation; scipy and pedalboard as oracles."""

from __future__ import annotations

import math

import numpy as np
import pedalboard
import pytest
import scipy.signal
import torch

from mixgraph.config import ProcessorConfig
from mixgraph.processors.base import PROCESSORS, ConvolutionProcessor

CONFIG = ProcessorConfig()
RATES = [30_000, 44_100]
CONVOLUTIONS = ["equalizer", "multitap_delay", "reverb"]


def decibels(ratio: float) -> float:
    return 20 * math.log10(ratio)


def test_gain_is_per_channel(generator: torch.Generator) -> None:
    processor = PROCESSORS["gain_panning"](30_000, CONFIG)
    signal = torch.randn(1, 2, 100, dtype=torch.float64, generator=generator)
    raw = processor.raw({"gain_db": torch.tensor([[-6.0, 20.0]], dtype=torch.float64)})
    left, right = processor.process(signal, raw)[0]
    torch.testing.assert_close(left, signal[0, 0] * 10 ** (-6 / 20))
    torch.testing.assert_close(right, signal[0, 1] * 10)


@pytest.mark.parametrize("side_gain_db", [-80.0, -6.0, 0.0, 6.0])
def test_imager_scales_the_side_only(side_gain_db: float, generator: torch.Generator) -> None:
    processor = PROCESSORS["stereo_imager"](30_000, CONFIG)
    signal = torch.randn(1, 2, 100, dtype=torch.float64, generator=generator)
    raw = processor.raw({"side_gain_db": torch.tensor([side_gain_db], dtype=torch.float64)})
    output = processor.process(signal, raw)
    torch.testing.assert_close(output.sum(1), signal.sum(1))
    torch.testing.assert_close(output[:, 0] - output[:, 1], (signal[:, 0] - signal[:, 1]) * 10 ** (side_gain_db / 20))
    mono = signal[:, :1].expand(1, 2, 100)
    torch.testing.assert_close(processor.process(mono, raw), mono)


@pytest.mark.parametrize("length", [5_000, 5_001])
@pytest.mark.parametrize("name", CONVOLUTIONS)
@pytest.mark.parametrize("rate", RATES)
def test_output_is_scipys_convolution_with_the_response(
    name: str, rate: int, length: int, generator: torch.Generator
) -> None:
    processor = PROCESSORS[name](rate, CONFIG)
    assert isinstance(processor, ConvolutionProcessor)
    parameters = {
        spec.name: torch.randn(1, *spec.shape, dtype=torch.float64, generator=generator)
        for spec in processor.parameters
    }
    response = processor.impulse_response(parameters)
    signal = torch.randn(1, 2, length, dtype=torch.float64, generator=generator)
    full = scipy.signal.oaconvolve(signal.numpy(), response.taps.expand(1, 2, -1).numpy(), axes=-1)
    expected = full[..., response.origin : response.origin + length]
    torch.testing.assert_close(processor.process(signal, parameters), torch.tensor(expected))


@pytest.mark.parametrize("bins", [16, 1024])
def test_flat_equalizer_is_a_wire(bins: int, generator: torch.Generator) -> None:
    processor = PROCESSORS["equalizer"](30_000, CONFIG.model_copy(update={"equalizer_bins": bins}))
    signal = torch.randn(1, 2, 3_001, dtype=torch.float64, generator=generator)
    output = processor.process(signal, {"log_magnitude": torch.zeros(1, bins, dtype=torch.float64)})
    # The published window is half a sample off the centre, so its middle is this little below 1.
    torch.testing.assert_close(output, signal * math.cos(math.pi / (4 * bins - 2)) ** 2)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("make", [pedalboard.HighShelfFilter, pedalboard.PeakFilter, pedalboard.LowShelfFilter])
def test_equalizer_takes_on_the_magnitude_of_another_one(rate: int, make: type[pedalboard.Plugin]) -> None:
    other = make(cutoff_frequency_hz=2_500, gain_db=7.0, q=0.7)  # type: ignore[call-arg]
    impulse = np.zeros((2, 8_192), np.float32)
    impulse[:, 0] = 1
    magnitude = np.abs(np.fft.rfft(other(impulse, rate)[0], 2_047))
    processor = PROCESSORS["equalizer"](rate, CONFIG)
    raw = processor.raw({"magnitude_db": torch.tensor(20 * np.log10(magnitude))[None]})
    middle = torch.zeros(1, 2, 4_095, dtype=torch.float64)
    middle[..., 2_047] = 1
    ours = processor.process(middle, raw)[0, 0]
    np.testing.assert_allclose(np.abs(np.fft.rfft(ours, 2_047 * 2))[::2][:1_024], magnitude, rtol=0.01)
    assert int(ours.abs().argmax()) == 2_047, "zero phase: no delay"
    text = processor.summary({"magnitude_db": torch.tensor(20 * np.log10(magnitude))})
    assert max(float(part.split(" dB")[0]) for part in text.split(", ")) == pytest.approx(7, abs=0.2)


def test_equalizer_summary_names_boosts_and_cuts() -> None:
    processor = PROCESSORS["equalizer"](44_100, CONFIG)
    hz = torch.arange(1_024) * 44_100 / 2_047
    bell = lambda centre, gain: gain * torch.exp(-((torch.log2(hz.clamp(min=1) / centre) / 0.4) ** 2))  # noqa: E731
    text = processor.summary({"magnitude_db": bell(250, 6.0) + bell(4_000, -9.0)})
    assert [part.split(" at ")[1] for part in text.split(", ")] == ["250 Hz", "4 kHz"]
    boost, cut = (float(part.split(" dB")[0]) for part in text.split(", "))
    assert 4 < boost <= 6 and -9 <= cut < -6
    assert processor.summary({"magnitude_db": 0.3 * torch.ones(1_024)}) == "flat within 0.5 dB"
