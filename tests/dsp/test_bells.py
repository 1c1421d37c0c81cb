"""Equaliser curves as bells and shelves: what was set is found, what is left is said."""

from __future__ import annotations

import numpy as np
import pytest

from mixgraph.dsp.bells import SHELF_Q, Band, fit_strip

HZ = 30 * 2 ** (np.arange(105) / 12)


def test_a_bell_and_a_shelf_are_found() -> None:
    made = [Band("bell", 300, -6, 1.2), Band("high_shelf", 6_000, 4, SHELF_Q)]
    curve = made[0].curve_db(HZ) + made[1].curve_db(HZ) - 2.0
    strip = fit_strip(HZ, curve, np.ones(len(HZ)))
    assert strip.residual_db < 0.7 and np.abs(strip.curve_db(HZ) - curve).max() < 2.0
    bell = next(band for band in strip.bands if band.shape == "bell")
    assert bell.hz == pytest.approx(300, rel=0.05) and bell.gain_db == pytest.approx(-6, abs=0.7)


def test_a_flat_curve_needs_no_band() -> None:
    strip = fit_strip(HZ, np.zeros(len(HZ)), np.ones(len(HZ)))
    assert strip.bands == () and str(strip) == "flat (within 0.0 dB)"


def test_only_what_matters_is_fitted() -> None:
    curve, weights = np.where(HZ > 5_000, 12.0, 0.0), np.where(HZ > 4_500, 1e-3, 1.0)
    strip = fit_strip(HZ, curve, weights)
    assert strip.residual_db < 0.7 and np.abs(strip.curve_db(HZ[HZ < 4_000])).max() < 1


def test_the_residual_is_the_rms_of_what_is_left() -> None:
    curve = 6 * np.sign(np.sin(np.arange(len(HZ)) * 1.7))
    strip = fit_strip(HZ, curve, np.ones(len(HZ)))
    assert strip.residual_db == pytest.approx(np.sqrt(np.mean((strip.curve_db(HZ) - curve) ** 2)), rel=1e-6)
    assert strip.residual_db > 2 and f"within {strip.residual_db:.1f} dB" in str(strip)


@pytest.mark.parametrize("gain_db", [-9.0, 6.0])
def test_a_bell_is_the_cookbooks(gain_db: float) -> None:
    rate, hz, q = 768_000, 1_000.0, 1.4  # far above: no bilinear warping to speak of
    a, w = 10 ** (gain_db / 40), 2 * np.pi * hz / rate
    alpha = np.sin(w) / (2 * q)
    b, den = [1 + alpha * a, -2 * np.cos(w), 1 - alpha * a], [1 + alpha / a, -2 * np.cos(w), 1 - alpha / a]
    z = np.exp(-2j * np.pi * HZ / rate)
    response_db = 20 * np.log10(np.abs(np.polyval(b[::-1], z) / np.polyval(den[::-1], z)))
    assert np.abs(Band("bell", hz, gain_db, q).curve_db(HZ) - response_db).max() < 0.02


def test_words_are_an_engineers() -> None:
    assert str(Band("bell", 300, -3.2, 0.6)) == "−3.2 dB at 300 Hz (wide)"
    assert str(Band("bell", 2_400, 5.0, 4.0)) == "+5.0 dB at 2.4 kHz (narrow)"
    assert str(Band("high_shelf", 8_000, 2.1, SHELF_Q)) == "+2.1 dB above 8 kHz"
    assert str(Band("low_shelf", 120, -6.0, SHELF_Q)) == "−6.0 dB below 120 Hz"
