"""Least squares without negative numbers, from the normal equations (Lawson and Hanson 1974; Bro and de Jong 1997).

As `scipy.optimize.nnls`, whose package takes a quarter of a second and 30 MB to load, at the start of every search.
"""

from __future__ import annotations

import numpy as np

TOLERANCE = 1e-10
"""Gradients below this, relative to the largest at zero, count as none."""


def nonnegative_solution(gram: np.ndarray, cross: np.ndarray) -> np.ndarray:
    """The x >= 0 with the least |A x - b|^2, given A^T A `(n, n)`, positive definite, and A^T b `(n,)`."""
    solution, free = np.zeros(len(cross)), np.zeros(len(cross), bool)
    # Numbers are freed one by one, and seldom bound again: three times over, rounding alone would go on.
    for _ in range(3 * len(cross)):
        gradient = np.where(free, -np.inf, cross - gram @ solution)
        if gradient.max() <= TOLERANCE * abs(cross).max():
            break
        free[gradient.argmax()] = True
        solution = _among(gram, cross, free, solution)
    return solution


def _among(gram: np.ndarray, cross: np.ndarray, free: np.ndarray, solution: np.ndarray) -> np.ndarray:
    """The best of the free numbers, those bound (in place) that would fall below zero on the way there."""
    while free.any():
        wanted = np.zeros(len(cross))
        wanted[free] = np.linalg.solve(gram[np.ix_(free, free)], cross[free])
        below = free & (wanted <= 0)
        if not below.any():
            return wanted
        way = solution[below] / (solution[below] - wanted[below])
        solution = solution + way.min() * (wanted - solution)
        free[np.flatnonzero(below)[way == way.min()]] = False
        solution[~free] = 0
    return np.zeros(len(cross))
