"""Mel bands against librosa, and the laws of triangles."""

from __future__ import annotations

import warnings

import librosa
import numpy as np
import pytest

from mixgraph.dsp.mel import hz_from_mel, mel_bank, mel_from_hz


@pytest.mark.parametrize("sample_rate", [8_000, 30_000, 44_100, 48_000])
@pytest.mark.parametrize(("fft_size", "bands"), [(512, 96), (1_024, 96), (4_096, 96), (600, 7)])
def test_equals_librosa(sample_rate: int, fft_size: int, bands: int) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Empty filters")
        expected = librosa.filters.mel(sr=sample_rate, n_fft=fft_size, n_mels=bands, dtype=np.float64)
    np.testing.assert_allclose(mel_bank(sample_rate, fft_size, bands), expected, rtol=1e-9, atol=1e-15)


def test_scale_is_linear_then_logarithmic_and_invertible() -> None:
    assert mel_from_hz(500) == pytest.approx(7.5)
    assert mel_from_hz(6_400) == pytest.approx(15 + 27)
    for frequency_hz in (0, 20, 999.9, 1_000, 1_000.1, 15_000):
        assert hz_from_mel(np.array(mel_from_hz(frequency_hz))) == pytest.approx(frequency_hz, abs=1e-9)


def test_bands_have_unit_area_and_cover_every_inner_bin_between_the_outer_centres() -> None:
    bank = mel_bank(30_000, 4_096, 96)
    area = bank.sum(axis=1) * 30_000 / 4_096
    np.testing.assert_allclose(area, 1, atol=0.02)
    first, last = bank[0].argmax(), bank[-1].argmax()
    assert ((bank[:, first:last] > 0).sum(axis=0) >= 1).all()
    assert ((bank > 0).sum(axis=0) <= 2).all()


def test_is_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        mel_bank(30_000, 512, 96)[0, 0] = 1
