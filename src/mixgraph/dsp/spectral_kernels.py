"""Compiled loops over spectra: what one linear processor with its dry/wet does to them, and the way back.

Spectra are `(node, channel, bin)` of complex numbers seen as `(node, channel, bin, 2)` of real ones. A task is
bins `start` to `stop` of one row; it leaves its sums in a place of its own, to be added up afterwards.
"""

from __future__ import annotations

import numpy as np
from numba import njit

FAST = {"contract", "reassoc", "nsz", "arcp"}


@njit(cache=True, nogil=True, fastmath=FAST)
def forward(tasks, signal, response, weight, output):
    """output = (1 - w + w H) X."""
    for _, row, start, stop in tasks:
        w = weight[row]
        dry = np.float32(1) - w
        for channel in range(2):
            x, y = signal[row, channel, start:stop], output[row, channel, start:stop]
            h = response[row, min(channel, response.shape[1] - 1), start:stop]
            for k in range(stop - start):
                re, im = dry + w * h[k, 0], w * h[k, 1]
                y[k, 0] = re * x[k, 0] - im * x[k, 1]
                y[k, 1] = re * x[k, 1] + im * x[k, 0]


@njit(cache=True, nogil=True, fastmath=FAST)
def energies(tasks, signal, response, mid, sums):
    """Sums over bins of |X|^2 and |H X|^2: of l + r if `mid`, else of both channels."""
    for task, row, start, stop in tasks:
        of_dry, of_wet = np.float32(0), np.float32(0)
        x, y = signal[row, 0, start:stop], signal[row, 1, start:stop]
        g, h = response[row, 0, start:stop], response[row, response.shape[1] - 1, start:stop]
        for k in range(stop - start):
            ar, ai = g[k, 0] * x[k, 0] - g[k, 1] * x[k, 1], g[k, 0] * x[k, 1] + g[k, 1] * x[k, 0]
            br, bi = h[k, 0] * y[k, 0] - h[k, 1] * y[k, 1], h[k, 0] * y[k, 1] + h[k, 1] * y[k, 0]
            if mid:
                of_dry += (x[k, 0] + y[k, 0]) ** 2 + (x[k, 1] + y[k, 1]) ** 2
                of_wet += (ar + br) ** 2 + (ai + bi) ** 2
            else:
                of_dry += x[k, 0] ** 2 + x[k, 1] ** 2 + y[k, 0] ** 2 + y[k, 1] ** 2
                of_wet += ar**2 + ai**2 + br**2 + bi**2
        sums[task, 0] = of_dry
        sums[task, 1] = of_wet


@njit(cache=True, nogil=True, fastmath=FAST)
def backward(tasks, grad, signal, response, weight, levels, mid, grad_signal, grad_response, sums):
    """Gradients in X, H and (as a sum over bins) w; `levels` are twice those of the two energies, `(node, 2)`.

    A response of one channel gets the sum of both channels' gradients.
    """
    for task, row, start, stop in tasks:
        w, of_dry, of_wet = weight[row], levels[row, 0], levels[row, 1]
        dry = np.float32(1) - w
        shared = response.shape[1] == 1
        last = response.shape[1] - 1
        x, y = signal[row, 0, start:stop], signal[row, 1, start:stop]
        gx, gy = grad[row, 0, start:stop], grad[row, 1, start:stop]
        g, h = response[row, 0, start:stop], response[row, last, start:stop]
        to_x, to_y = grad_signal[row, 0, start:stop], grad_signal[row, 1, start:stop]
        to_g, to_h = grad_response[row, 0, start:stop], grad_response[row, last, start:stop]
        of_weight = np.float32(0)
        for k in range(stop - start):
            xr, xi, yr, yi = x[k, 0], x[k, 1], y[k, 0], y[k, 1]
            ar, ai = g[k, 0] * xr - g[k, 1] * xi, g[k, 0] * xi + g[k, 1] * xr
            br, bi = h[k, 0] * yr - h[k, 1] * yi, h[k, 0] * yi + h[k, 1] * yr
            of_weight += gx[k, 0] * (ar - xr) + gx[k, 1] * (ai - xi) + gy[k, 0] * (br - yr) + gy[k, 1] * (bi - yi)
            wlr, wli = (
                w * gx[k, 0] + of_wet * (ar + br if mid else ar),
                w * gx[k, 1] + of_wet * (ai + bi if mid else ai),
            )
            wrr, wri = (
                w * gy[k, 0] + of_wet * (ar + br if mid else br),
                w * gy[k, 1] + of_wet * (ai + bi if mid else bi),
            )
            dlr, dli = of_dry * (xr + yr if mid else xr), of_dry * (xi + yi if mid else xi)
            drr, dri = of_dry * (xr + yr if mid else yr), of_dry * (xi + yi if mid else yi)
            to_x[k, 0] = dry * gx[k, 0] + dlr + g[k, 0] * wlr + g[k, 1] * wli
            to_x[k, 1] = dry * gx[k, 1] + dli + g[k, 0] * wli - g[k, 1] * wlr
            to_y[k, 0] = dry * gy[k, 0] + drr + h[k, 0] * wrr + h[k, 1] * wri
            to_y[k, 1] = dry * gy[k, 1] + dri + h[k, 0] * wri - h[k, 1] * wrr
            hlr, hli = xr * wlr + xi * wli, xr * wli - xi * wlr
            hrr, hri = yr * wrr + yi * wri, yr * wri - yi * wrr
            if shared:
                to_g[k, 0] = hlr + hrr
                to_g[k, 1] = hli + hri
            else:
                to_g[k, 0] = hlr
                to_g[k, 1] = hli
                to_h[k, 0] = hrr
                to_h[k, 1] = hri
        sums[task] = of_weight
