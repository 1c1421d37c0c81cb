"""FFTs with kept plans: the numbers of PyTorch's, whatever the shapes, the threads and who else computes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from mixgraph.dsp import fft

N = 2 * fft.SHORTEST
needs_plans = pytest.mark.skipif(not fft.plans_can_be_kept(), reason="this PyTorch has no MKL of its own")


@pytest.fixture
def torch_alone(monkeypatch):
    """Runs a function with PyTorch's FFTs only."""

    def run(work):
        with monkeypatch.context() as patch:
            patch.setattr(fft.Plans, "kept", False)
            return work()

    return run


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@needs_plans
def test_long_ones_are_not_computed_by_torch(monkeypatch):
    monkeypatch.setattr(torch.fft, "rfft", None)
    monkeypatch.setattr(torch.fft, "irfft", None)
    fft.irfft(fft.rfft(noise(2, N), N), N, N)


@pytest.mark.parametrize("n", [N, N + 1])
@pytest.mark.parametrize("shape", [(N,), (1, N), (2, 3, N // 3), (2, 1, N + 100), (3, 2, 1)])
def test_there_and_back_as_torch(threads, shape, n):
    signal = noise(*shape)
    expected = torch.fft.rfft(signal.double(), n)
    found = fft.rfft(signal, n)
    assert found.shape == expected.shape
    assert found.dtype == torch.complex64
    torch.testing.assert_close(found, expected.to(torch.complex64), rtol=1e-5, atol=2e-3)
    torch.testing.assert_close(
        fft.irfft(found, n, 500), torch.fft.irfft(expected, n)[..., :500].float(), rtol=1e-5, atol=1e-6
    )


@needs_plans
@pytest.mark.parametrize("shape", [(2, N // 2), (5, 2, N), (3, 3, N)])
def test_the_same_bits_as_torch_forward(torch_alone, shape):
    signal = noise(*shape)
    assert torch.equal(fft.rfft(signal, N), torch_alone(lambda: fft.rfft(signal, N)))


@needs_plans
def test_a_row_has_the_same_bits_in_any_company_on_any_number_of_threads(threads):
    signal = noise(9, N)
    torch.set_num_threads(1)
    spectra = fft.rfft(signal, N)
    samples = fft.irfft(spectra, N, N)
    torch.set_num_threads(2)
    for first, last in ((0, 9), (0, 2), (3, 6), (2, 7), (1, 9)):
        assert torch.equal(fft.rfft(signal[first:last], N), spectra[first:last])
        assert torch.equal(fft.irfft(spectra[first:last], N, N), samples[first:last])
    alone = fft.rfft(signal[:1], N)
    torch.set_num_threads(1)
    assert torch.equal(fft.rfft(signal[:1], N), alone)


def test_what_is_given_is_left_as_it_was():
    signal = noise(2, N)
    spectrum = fft.rfft(signal, N)
    kept, known = signal.clone(), spectrum.clone()
    fft.rfft(signal, N)
    fft.irfft(spectrum, N, N)
    assert torch.equal(signal, kept)
    assert torch.equal(spectrum, known)


def test_views_and_turned_axes_are_as_their_copies():
    wide = noise(2, 3, 2 * N)
    view = wide[..., 100 : 100 + N]
    assert torch.equal(fft.rfft(view, N), fft.rfft(view.contiguous(), N))
    turned = fft.rfft(wide[..., :N], N).transpose(0, 1)
    assert torch.equal(fft.irfft(turned, N, N), fft.irfft(turned.contiguous(), N, N))


@pytest.mark.parametrize(("dtype", "n"), [(torch.float64, N), (torch.float32, fft.SHORTEST - 2)])
def test_double_precision_and_short_ones_are_left_to_torch(dtype, n):
    signal = noise(2, N).to(dtype)
    assert torch.equal(fft.rfft(signal, n), torch.fft.rfft(signal, n))
    spectrum = torch.fft.rfft(signal, n)
    assert torch.equal(fft.irfft(spectrum, n, 99), torch.fft.irfft(spectrum, n)[..., :99])


@needs_plans
def test_many_threads_may_share_a_plan(threads):
    signals = [noise(3, N, seed=number) for number in range(16)]

    def work(signal):
        torch.set_num_threads(1)
        return fft.irfft(fft.rfft(signal, N), N, N)

    with ThreadPoolExecutor(4) as pool:
        for signal, found in zip(signals, pool.map(work, signals), strict=True):
            torch.testing.assert_close(found, signal, rtol=1e-5, atol=1e-5)


@needs_plans
def test_plans_come_and_go():
    for n in range(fft.SHORTEST, fft.SHORTEST + 2 * 100, 2):
        signal = noise(2, n)
        torch.testing.assert_close(fft.irfft(fft.rfft(signal, n), n, n), signal, rtol=1e-4, atol=1e-5)


def test_without_the_library_torch_does_it(monkeypatch):
    monkeypatch.setattr(fft, "_library", lambda: None)
    signal = noise(2, N)
    assert torch.equal(fft.rfft(signal, N), torch.fft.rfft(signal, N))
