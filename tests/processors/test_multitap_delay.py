"""What an engineer knows of delays."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mixgraph.config import ProcessorConfig
from mixgraph.processors.multitap_delay import MultitapDelay

RATES = [22_050, 30_000, 44_100]


def physical_taps(processor: MultitapDelay) -> dict[str, Tensor]:
    """All taps in the middle of their slots, without colour."""
    middle_ms = (torch.arange(20, dtype=torch.float64) + 0.5) * 100
    return {
        "tap_time_ms": middle_ms.expand(1, 2, 20).clone(),
        "tap_radius": torch.full((1, 2, 20), 0.9, dtype=torch.float64),
        "color_db": torch.zeros(1, 2, 20, 20, dtype=torch.float64),
    }


@pytest.mark.parametrize("rate", RATES)
def test_a_tap_at_300_ms_arrives_at_300_ms(rate: int) -> None:
    processor = MultitapDelay(rate, ProcessorConfig())
    physical = physical_taps(processor)
    physical["color_db"] -= 120
    physical["color_db"][0, 0, 3] = 0
    physical["tap_time_ms"][0, 0, 3] = 300
    physical["color_db"][0, 1, 7] = 0
    physical["tap_time_ms"][0, 1, 7] = 712.3
    impulse = torch.zeros(1, 2, 2 * rate, dtype=torch.float64)
    impulse[..., 0] = 1
    echoes = processor.process(impulse, processor.raw(physical))[0]
    assert echoes.abs().argmax(-1).tolist() == [round(0.3 * rate), round(0.7123 * rate)]
    torch.testing.assert_close(echoes.square().sum(-1), torch.ones(2, dtype=torch.float64), rtol=0, atol=0.6)
    text = processor.summary({key: value[0] for key, value in physical.items()})
    assert "300 ms left" in text and "712 ms right" in text


@pytest.mark.parametrize("rate", RATES)
def test_every_slot_of_both_channels_holds_one_tap_and_the_whole_has_unit_energy(
    rate: int, generator: torch.Generator
) -> None:
    processor = MultitapDelay(rate, ProcessorConfig())
    parameters = {
        spec.name: torch.randn(2, *spec.shape, dtype=torch.float64, generator=generator)
        for spec in processor.parameters
    }
    response = processor.impulse_response(parameters)
    assert response.origin == 0
    slots = response.taps.unflatten(-1, (20, -1))
    assert slots.shape == (2, 2, 20, round(0.1 * rate))
    assert ((slots != 0).sum(-1) <= 39).all() and (slots != 0).any(-1).all()
    torch.testing.assert_close(response.taps.square().sum((1, 2)), torch.full((2,), 2.0, dtype=torch.float64))


def test_first_half_of_the_taps_is_the_left_channel() -> None:
    processor = MultitapDelay(30_000, ProcessorConfig())
    color = torch.full((1, 40, 20), -20.0)
    color[0, :20] = 0
    left, right = processor.impulse_response({"tap": torch.ones(1, 40, 2), "color_log_magnitude": color}).taps[0]
    assert left.abs().max() > 0.1 and right.abs().max() < 1e-6


def test_color_filters_the_tap() -> None:
    """A tap that keeps only the low half of the spectrum passes 2 kHz and stops 13 kHz."""
    processor = MultitapDelay(30_000, ProcessorConfig())
    physical = physical_taps(processor)
    physical["color_db"][..., 10:] = -80
    impulse = processor.impulse_response(processor.raw(physical)).taps[0, 0, :3_000]
    magnitude = torch.fft.rfft(impulse).abs()
    assert magnitude[200] / magnitude[1_300] > 100


def test_gradient_of_every_tap_has_unit_magnitude(generator: torch.Generator) -> None:
    processor = MultitapDelay(30_000, ProcessorConfig())
    parameters = {spec.name: torch.randn(1, *spec.shape, generator=generator) for spec in processor.parameters}
    tap = parameters["tap"].requires_grad_()
    response = processor.impulse_response(parameters).taps
    response.backward(torch.randn(response.shape, generator=generator))
    assert tap.grad is not None
    torch.testing.assert_close(tap.grad.norm(dim=-1), torch.ones(1, 40), rtol=0, atol=1e-3)


def test_penalty_is_the_papers() -> None:
    processor = MultitapDelay(30_000, ProcessorConfig())
    taps = torch.zeros(2, 40, 2)
    taps[1, :, 1] = torch.atanh(torch.tensor(0.9))
    torch.testing.assert_close(processor.penalty({"tap": taps}), torch.tensor([40.0, 0.4]))


def test_descent_moves_a_tap_to_where_the_echo_is(generator: torch.Generator) -> None:
    """The straight-through gradient is good for something: it finds an echo from elsewhere in the slot."""
    config = ProcessorConfig(delay_seconds=0.1, delay_slot_seconds=0.1, delay_color_bins=2)
    processor = MultitapDelay(2_000, config)
    smooth = torch.hann_window(61)
    source = torch.nn.functional.conv1d(torch.randn(2, 1, 900, generator=generator), smooth[None, None])[None, :, 0]
    target = torch.roll(source, 120, -1)
    target[..., :120] = 0
    parameters = {"tap": torch.tensor([[[0.0, -1.0], [0.0, -1.0]]]), "color_log_magnitude": torch.zeros(1, 2, 2)}
    tap = parameters["tap"].requires_grad_()
    assert processor.physical(parameters)["tap_time_ms"].flatten().tolist() == pytest.approx([25, 25])
    optimizer = torch.optim.Adam([tap], lr=0.03)
    for _ in range(150):
        optimizer.zero_grad()
        (processor.process(source, parameters) - target).square().mean().backward()
        optimizer.step()
    assert processor.physical(parameters)["tap_time_ms"].flatten().tolist() == pytest.approx([60, 60], abs=2)
