"""Attack, release and curves of other people's compressors from ours."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mixgraph.dsp.ballistics import attack_release, fit_static_curve
from mixgraph.dsp.dynamics import Knee, knee_gain
from mixgraph.dsp.envelope import one_pole

LEVELS = np.arange(-60.0, 0.5, 0.5)


@pytest.mark.parametrize("step_db", [6.0, 10.0, 20.0])
def test_times_are_those_of_the_envelope(step_db: float) -> None:
    rate, smoothing_ms = 48_000, 20.0
    decay = torch.tensor([np.exp(-1000 / (rate * smoothing_ms))], dtype=torch.float64)
    low = 10 ** (-step_db / 10)
    energy = torch.cat([torch.full((rate,), low), torch.ones(rate), torch.full((rate,), low)]).double()[None]
    level_db = 10 * np.log10(one_pole(energy, decay)[0].numpy())
    up, down = level_db[rate : 2 * rate], level_db[2 * rate :]
    times = attack_release(smoothing_ms, step_db)
    share = step_db / np.e
    assert np.argmax(up > -share) * 1000 / rate == pytest.approx(times.attack_ms, rel=0.02)
    assert np.argmax(down < -step_db + share) * 1000 / rate == pytest.approx(times.release_ms, rel=0.02)
    assert times.attack_ms < smoothing_ms < times.release_ms


@pytest.mark.parametrize(("sign", "slope"), [(1, 1 / 4 - 1), (-1, 1 - 4)])
def test_a_wet_curve_is_found_again(sign: int, slope: float) -> None:
    nepers = np.log(10) / 10
    one = torch.ones(1, dtype=torch.float64)
    knee = Knee(-24 * nepers * one, 0.5 * slope * one, 3 * nepers * one, 0 * one, sign, 1e-12)  # type: ignore[arg-type]
    gain_db = 20 * np.log10(knee_gain(torch.from_numpy(10 ** (LEVELS / 10))[None], knee)[0].numpy())
    found = fit_static_curve(LEVELS, gain_db, sign, (-30, 2, 3))  # type: ignore[arg-type]
    assert (found.threshold_db, found.ratio, found.knee_db) == pytest.approx((-24, 4, 6), rel=1e-3)
    assert found.error_db < 1e-3
    np.testing.assert_allclose(found.gain_db(LEVELS), gain_db, atol=1e-2)


def test_a_dry_share_leaves_an_error_that_is_said() -> None:
    wet = np.where(LEVELS > -30, 0.75 * (-30 - LEVELS), 0)
    mixed = 20 * np.log10(0.5 + 0.5 * 10 ** (wet / 20))
    found = fit_static_curve(LEVELS, mixed, 1, (-30, 4, 1))
    assert 1.2 < found.ratio < 4
    assert found.error_db == pytest.approx(np.sqrt(np.mean((found.gain_db(LEVELS) - mixed) ** 2)), rel=1e-6)
    assert 0.01 < found.error_db < 1
