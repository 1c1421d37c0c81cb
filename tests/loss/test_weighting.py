"""The A-weighting FIR against auraloss and against the curve of IEC 61672."""

from __future__ import annotations

import numpy as np
import pytest
from auraloss.perceptual import FIRFilter
from scipy.signal import firls

from mixgraph.dsp import weighting
from mixgraph.dsp.weighting import a_weighting_taps
from mixgraph.errors import ConfigError

IEC_DB = {100: -19.1, 500: -3.2, 1_000: 0.0, 2_000: 1.2, 4_000: 1.0}


@pytest.mark.parametrize("sample_rate", [30_000, 44_100, 48_000])
@pytest.mark.parametrize("taps", [101, 31])
def test_equals_auraloss(sample_rate: int, taps: int) -> None:
    expected = FIRFilter(filter_type="aw", fs=sample_rate, ntaps=taps).fir.weight.detach().numpy().ravel()
    np.testing.assert_allclose(a_weighting_taps(sample_rate, taps), expected, rtol=0, atol=1e-6 * expected.max())


@pytest.mark.parametrize("sample_rate", [30_000, 44_100, 48_000])
@pytest.mark.parametrize("taps", [101, 31, 3])
def test_the_fit_is_scipys(monkeypatch, sample_rate: int, taps: int) -> None:
    found = a_weighting_taps.__wrapped__(sample_rate, taps)
    fit = lambda count, bands, desired: firls(count, bands.ravel(), desired.ravel())  # noqa: E731
    monkeypatch.setattr(weighting, "_least_squares", fit)
    np.testing.assert_allclose(found, a_weighting_taps.__wrapped__(sample_rate, taps), rtol=0, atol=1e-13)


@pytest.mark.parametrize(("frequency_hz", "expected_db"), IEC_DB.items())
def test_follows_the_curve(frequency_hz: float, expected_db: float) -> None:
    taps = a_weighting_taps(30_000)
    phase = np.exp(-2j * np.pi * frequency_hz / 30_000 * np.arange(101))
    assert 20 * np.log10(abs(taps @ phase)) == pytest.approx(expected_db, abs=0.5)


def test_is_linear_phase_cached_and_read_only() -> None:
    taps = a_weighting_taps(30_000)
    np.testing.assert_allclose(taps, taps[::-1], rtol=0, atol=1e-15)
    assert a_weighting_taps(30_000) is taps
    assert not taps.flags.writeable


def test_refuses_taps_without_a_centre() -> None:
    with pytest.raises(ConfigError, match=r"weighting_taps = 100: an odd number is needed; try 101"):
        a_weighting_taps(30_000, 100)
