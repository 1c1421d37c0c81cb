"""The magnitudes' own backward pass against autograd through `torch.stft`, and against finite differences; compiled
mel bands against plain ones."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mixgraph.dsp.compiled import usable
from mixgraph.dsp.mel import Bands, mel_bank
from mixgraph.dsp.spectrum import FRAMES_AT_ONCE, stereo_magnitudes, stereo_mel


def plain_magnitudes(signal: Tensor, window: Tensor, power_floor: float) -> Tensor:
    left, right = signal
    four = torch.stack((left, right, left + right, left - right))
    size = window.shape[0]
    spectrum = torch.stft(four, size, size // 4, window=window, return_complex=True).mT
    return torch.sqrt(torch.clamp(spectrum.real.square() + spectrum.imag.square(), min=power_floor))


FORMS = (stereo_magnitudes, plain_magnitudes)


@pytest.mark.parametrize("size", [8, 64, 100, 512])
@pytest.mark.parametrize("time", [257, 1_000, 2_048])
def test_equals_autograd_through_stft(size: int, time: int, device: torch.device, generator: torch.Generator) -> None:
    signal = torch.randn(2, time, dtype=torch.float64, generator=generator)
    signal[1, time // 2 :] = 0
    window = torch.hann_window(size, dtype=torch.float64, device=device)
    leaves = [signal.to(device).requires_grad_() for _ in range(2)]
    # A floor high enough to hold for a good part of the bins of noise.
    outputs = [function(leaf, window, 1.0) for function, leaf in zip(FORMS, leaves, strict=True)]
    torch.testing.assert_close(*outputs)
    assert 0.05 < (outputs[0] == 1).double().mean() < 0.95
    direction = torch.randn(outputs[0].shape, dtype=torch.float64, generator=generator).to(device)
    gradients = [torch.autograd.grad(output, leaf, direction)[0] for output, leaf in zip(outputs, leaves, strict=True)]
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("content", ["noise", "silence", "mono", "left only"])
def test_gradcheck(content: str, device: torch.device, generator: torch.Generator) -> None:
    signal = torch.randn(2, 40, dtype=torch.float64, generator=generator)
    if content == "silence":
        signal.zero_()
    elif content == "mono":
        signal[1] = signal[0]
    elif content == "left only":
        signal[1] = 0
    window = torch.hann_window(16, dtype=torch.float64, device=device)
    leaf = signal.to(device).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: stereo_magnitudes(x, window, 1e-4), leaf)


def test_side_of_a_loud_mono_signal_is_at_the_floor() -> None:
    left = 100 * torch.randn(4_000, generator=torch.Generator().manual_seed(0))
    side = stereo_magnitudes(torch.stack((left, left)), torch.hann_window(512), 1e-4)[3]
    torch.testing.assert_close(side, torch.full_like(side, 1e-2))


@pytest.mark.parametrize("size", [128, 512, 4_096])
@pytest.mark.usefixtures("threads")
def test_compiled_mel_bands_are_as_written(size: int, generator: torch.Generator) -> None:
    """In single precision against plain torch in double; with bands that hold one bin or none, and at the floor."""
    signal = 0.05 * torch.randn(2, FRAMES_AT_ONCE * size, generator=generator)
    signal[1, 5 * size :] = signal[0, 5 * size :]
    signal[:, 9 * size :] = 0
    bank = mel_bank(30_000, size, 48)
    toward = torch.randn(4, 4 * FRAMES_AT_ONCE + 1, bank.any(1).sum(), generator=generator)

    def outcome(dtype: torch.dtype) -> list[Tensor]:
        leaf = signal.to(dtype).requires_grad_()
        mel = stereo_mel(leaf, torch.hann_window(size, dtype=dtype), Bands.of(bank, dtype, leaf.device), 1e-4)
        return [mel.detach(), torch.autograd.grad(mel, leaf, toward.to(dtype))[0]]

    found, wanted = outcome(torch.float32), outcome(torch.float64)
    assert usable(found[0]) and not usable(wanted[0])
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one.double(), other, rtol=1e-4, atol=2e-5 * float(other.abs().max()))
