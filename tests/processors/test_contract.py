"""What every registered processor promises."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mixgraph.config import ProcessorConfig
from mixgraph.errors import ConfigError
from mixgraph.processors.base import PROCESSORS, Processor

SMALL = ProcessorConfig(
    equalizer_bins=16,
    delay_seconds=0.04,
    delay_slot_seconds=0.01,
    delay_color_bins=3,
    reverb_seconds=0.05,
    reverb_fft_size=32,
)
RATES = [30_000, 44_100]
LENGTHS = [1_200, 1_201, 50]
NAMES = list(PROCESSORS)


def random_parameters(
    processor: Processor, generator: torch.Generator, *, nodes: int = 3, std: float = 1.0, **options: object
) -> dict[str, Tensor]:
    draws = {spec.name: torch.randn(nodes, *spec.shape, generator=generator) for spec in processor.parameters}
    return {name: (std * draw).to(**options) for name, draw in draws.items()}  # type: ignore[call-overload]


@pytest.fixture(params=NAMES)
def processor(request: pytest.FixtureRequest) -> Processor:
    return PROCESSORS[request.param](30_000, SMALL)


def test_names_and_letters_are_those_of_the_paper() -> None:
    assert {cls.letter: name for name, cls in PROCESSORS.items()} == {
        "e": "equalizer",
        "c": "compressor",
        "n": "noise_gate",
        "s": "stereo_imager",
        "g": "gain_panning",
        "d": "multitap_delay",
        "r": "reverb",
    }
    assert all(cls.name == name for name, cls in PROCESSORS.items())


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("name", NAMES)
def test_a_batch_is_its_nodes_one_by_one(
    name: str, rate: int, length: int, device: torch.device, generator: torch.Generator
) -> None:
    processor = PROCESSORS[name](rate, SMALL)
    parameters = random_parameters(processor, generator, device=device, dtype=torch.float64)
    signal = torch.randn(3, 2, length, dtype=torch.float64, generator=generator).to(device)
    together = processor.process(signal, parameters)
    one_by_one = [
        processor.process(signal[[node]], {key: value[[node]] for key, value in parameters.items()})
        for node in range(3)
    ]
    torch.testing.assert_close(together, torch.cat(one_by_one))
    assert together.shape == signal.shape and together.dtype == torch.float64 and together.device == signal.device


def test_float32_is_float64_rounded(processor: Processor, device: torch.device, generator: torch.Generator) -> None:
    parameters = random_parameters(processor, generator, device=device)
    signal = 0.3 * torch.randn(3, 2, 999, generator=generator).to(device)
    single = processor.process(signal, parameters)
    double = processor.process(signal.double(), {key: value.double() for key, value in parameters.items()})
    assert single.dtype == torch.float32
    torch.testing.assert_close(single, double.float(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("level", [0.0, 1e-8, 1.0, 30.0], ids=["silence", "whisper", "full scale", "overload"])
@pytest.mark.parametrize("std", [0.01, 5.0], ids=["start", "extreme"])
def test_gradients_are_finite(
    processor: Processor, level: float, std: float, device: torch.device, generator: torch.Generator
) -> None:
    parameters = random_parameters(processor, generator, std=std, device=device)
    signal = (level * torch.randn(3, 2, 700, generator=generator)).to(device)
    inputs = [value.requires_grad_() for value in (signal, *parameters.values())]
    output = processor.process(signal, parameters)
    total = output.square().sum() + processor.penalty(parameters).sum()
    assert all(torch.isfinite(gradient).all() for gradient in torch.autograd.grad(total, inputs))


@pytest.mark.parametrize("length", [40, 41])
def test_gradients_are_right(
    processor: Processor, length: int, device: torch.device, generator: torch.Generator
) -> None:
    tiny = {"equalizer_bins": 5, "delay_seconds": 0.004, "delay_slot_seconds": 0.001, "delay_color_bins": 2}
    config = SMALL.model_copy(update=tiny | {"reverb_seconds": 0.005, "reverb_fft_size": 16})
    small = PROCESSORS[processor.name](8_000, config)
    parameters = random_parameters(small, generator, nodes=2, device=device, dtype=torch.float64)
    # The straight-through gradient of a tap is not the derivative of its output: see the tests of `colored_taps`.
    learnable = {key: value.requires_grad_() for key, value in parameters.items() if key != "tap"}
    signal = torch.randn(2, 2, length, dtype=torch.float64, generator=generator).to(device).requires_grad_()

    def process(signal: Tensor, *values: Tensor) -> Tensor:
        return small.process(signal, parameters | dict(zip(learnable, values, strict=True)))

    assert torch.autograd.gradcheck(process, (signal, *learnable.values()), atol=2e-5)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("name", NAMES)
def test_raw_undoes_physical(name: str, rate: int, generator: torch.Generator) -> None:
    processor = PROCESSORS[name](rate, SMALL)
    parameters = random_parameters(processor, generator, std=2.0, dtype=torch.float64)
    physical = processor.physical(parameters)
    back = processor.raw(physical)
    assert set(back) == set(parameters)
    for key, value in parameters.items():
        torch.testing.assert_close(back[key], value, msg=key)
    torch.testing.assert_close(processor.physical(back), physical)


def test_extreme_physical_values_have_finite_raw_ones(processor: Processor, generator: torch.Generator) -> None:
    for extreme in (-60.0, 60.0):
        draws = random_parameters(processor, generator, std=0.0)
        physical = processor.physical({key: value + extreme for key, value in draws.items()})
        assert all(torch.isfinite(value).all() for value in processor.raw(physical).values())


def test_summary_is_one_line(processor: Processor, generator: torch.Generator) -> None:
    for std in (0.0, 1.0, 8.0):
        physical = processor.physical(random_parameters(processor, generator, nodes=1, std=std))
        text = processor.summary({key: value[0] for key, value in physical.items()})
        assert 0 < len(text) < 100 and "\n" not in text and "nan" not in text


@pytest.mark.parametrize(
    "name, change, word",
    [
        ("multitap_delay", {"delay_slot_seconds": 1e-5}, "delay_slot_seconds"),
        ("multitap_delay", {"delay_seconds": 0.001}, "delay_seconds"),
        ("reverb", {"reverb_seconds": 0.001}, "reverb_seconds"),
    ],
)
def test_impossible_sizes_name_the_setting(name: str, change: dict[str, float], word: str) -> None:
    processor = PROCESSORS[name](30_000, SMALL.model_copy(update=change))
    with pytest.raises(ConfigError, match=word):
        processor.process(torch.zeros(1, 2, 9), random_parameters(processor, torch.Generator()))
