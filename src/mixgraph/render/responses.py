"""Spectra of impulse responses, and where they are kept while a bank does not change."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

import torch
from torch import Tensor

from mixgraph.dsp.spectral import to_spectrum
from mixgraph.processors.base import ImpulseResponse


class Responses:
    """Spectra of one bank's impulse responses, for renderers that may run side by side."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int, int], Tensor] = {}
        self._lock = Lock()

    def of(self, kind: str, length: int, n: int, make: Callable[[], Tensor]) -> Tensor:
        """Those of all nodes of a type, `(node, 1 or 2, bin)`, for signals of `length` and FFTs of `n`; made once."""
        with self._lock:
            if (kind, length, n) not in self._known:
                self._known[kind, length, n] = make()
            return self._known[kind, length, n]


def response_spectrum(impulse: ImpulseResponse, length: int, n: int) -> Tensor:
    """Spectra `(node, 1 or 2, bin)`, as much of the responses as `length` samples can show."""
    first = max(0, impulse.origin - length + 1)
    taps, origin = impulse.taps[..., first : impulse.origin + length], impulse.origin - first
    if origin:
        # Taps before time zero stand at the end of the circle.
        between = taps.new_zeros((*taps.shape[:-1], n - taps.shape[-1]))
        taps = torch.cat([taps[..., origin:], between, taps[..., :origin]], -1)
    return to_spectrum(taps, n)
