"""The compiled loop of short filters."""

from __future__ import annotations

import numpy as np
from numba import njit

BLOCK = 1024


@njit(cache=True, nogil=True, fastmath={"contract"}, error_model="numpy")
def forward(tasks, padded, taps, output):
    """output[n] = sum over k of taps[k] padded[n + len(taps) - 1 - k]; a task is a row and the place of one block."""
    total = np.empty(BLOCK, np.float32)
    for row, start in tasks:
        out = output[row, start : start + BLOCK]
        count = out.size
        total[:] = np.float32(0)
        for k in range(len(taps)):
            tap, shift = taps[k], start + len(taps) - 1 - k
            moved = padded[row, shift : shift + count]
            for n in range(count):
                total[n] += tap * moved[n]
        for n in range(count):
            out[n] = total[n]
