"""Non-negative least squares against SciPy's, also where columns are alike, many, or none is of use."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import nnls

from mixgraph.fit.nonnegative import nonnegative_solution


def residual(columns: np.ndarray, wanted: np.ndarray, solution: np.ndarray) -> float:
    return float(np.linalg.norm(columns @ solution - wanted))


@pytest.mark.parametrize("count", [1, 2, 7, 40, 100])
@pytest.mark.parametrize("seed", range(5))
def test_as_scipy(count, seed):
    rng = np.random.default_rng([count, seed])
    columns, wanted = rng.standard_normal((3 * count, count)), rng.standard_normal(3 * count)
    found = nonnegative_solution(columns.T @ columns, columns.T @ wanted)
    expected, _ = nnls(columns, wanted)
    assert (found >= 0).all()
    np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_columns_that_are_nearly_alike_end_at_the_same_residual(seed):
    rng = np.random.default_rng(seed)
    columns = np.repeat(rng.standard_normal((60, 6)), 2, axis=1) + 1e-6 * rng.standard_normal((60, 12))
    wanted = columns @ rng.uniform(-1, 1, 12)
    gram = columns.T @ columns
    found = nonnegative_solution(gram + 1e-9 * np.trace(gram) * np.eye(12), columns.T @ wanted)
    _, least = nnls(columns, wanted)
    assert (found >= 0).all()
    assert residual(columns, wanted, found) <= 1.0001 * least + 1e-6 * np.linalg.norm(wanted)


def test_what_would_all_be_negative_is_zero():
    columns = np.eye(3)
    np.testing.assert_array_equal(nonnegative_solution(columns, np.array([-1.0, -2.0, 0.0])), np.zeros(3))
