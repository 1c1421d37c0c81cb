"""Real FFTs of long signals in single precision, whose plans are kept.

PyTorch plans every FFT on the CPU anew (MKL's descriptors), which takes longer than transforming one or two long rows.
Here the same MKL, as PyTorch brings it, keeps its plans, treats a few rows at a time, which stay in the cache, and
copies what is padded or cut once only. Elsewhere (other devices and precisions, PyTorch without MKL) `torch.fft` does
the same. Rows are rounded the same whatever their number, from two on, and on any number of threads.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from mixgraph.dsp.compiled import usable

SHORTEST: Final = 1 << 14  # FFTs shorter than that come many at a time, and a plan for all of them costs nothing

# Names and values from MKL's mkl_dfti.h.
DFTI_REAL = 33
DFTI_BACKWARD_SCALE = 5
DFTI_NUMBER_OF_TRANSFORMS = 7
DFTI_CONJUGATE_EVEN_STORAGE, DFTI_COMPLEX_COMPLEX = 10, 39
DFTI_PLACEMENT, DFTI_INPLACE, DFTI_NOT_INPLACE = 11, 43, 44
DFTI_INPUT_DISTANCE, DFTI_OUTPUT_DISTANCE = 14, 15
DFTI_THREAD_LIMIT = 27


class Plans:
    """Whether they are kept; if not, all FFTs are PyTorch's."""

    kept = True


def rfft(signal: Tensor, n: int) -> Tensor:
    """Spectra `(..., n // 2 + 1)` of signals `(..., time)`, cut or padded with zeros to `n`."""
    if not _keeps(signal, n):
        return torch.fft.rfft(signal, n)
    count, rows = min(signal.shape[-1], n), signal.detach().reshape(-1, signal.shape[-1])
    spectrum = rows.new_empty((*signal.shape[:-1], n // 2 + 1), dtype=torch.complex64)
    places = torch.view_as_real(spectrum).view(len(rows), 2 * (n // 2 + 1))
    for some, threads in _parts(len(rows)):
        place = places[some]
        place[:, :count], place[:, count:] = rows[some, :count], 0
        _plan(n, len(place), threads).forward(place)
    return spectrum


def irfft(spectrum: Tensor, n: int, length: int) -> Tensor:
    """The first `length` samples `(..., length)` of the inverse FFTs, `n` samples long, of `(..., n // 2 + 1)`."""
    if not _keeps(spectrum, n):
        return torch.fft.irfft(spectrum, n)[..., :length]
    rows = torch.view_as_real(spectrum.detach().contiguous()).view(-1, 2 * (n // 2 + 1))
    signal = rows.new_empty((*spectrum.shape[:-1], length))
    places, whole = signal.view(len(rows), length), rows.new_empty(0)
    for some, threads in _parts(len(rows)):
        row = rows[some]
        whole = whole if len(whole) == len(row) else rows.new_empty((len(row), n))
        _plan(n, len(row), threads).backward(row, whole)
        places[some] = whole[:, :length]
    return signal


def plans_can_be_kept() -> bool:
    """Whether this PyTorch has an MKL that can be called."""
    return _library() is not None


def _keeps(tensor: Tensor, n: int) -> bool:
    return Plans.kept and n >= SHORTEST and usable(tensor) and plans_can_be_kept()


def _parts(rows: int) -> Iterator[tuple[slice, int]]:
    """Rows for one call, few enough to stay in the cache, and by how many threads: never one of several alone.

    A row alone is computed otherwise, and on one thread always the same, and quicker.
    """
    threads, first = torch.get_num_threads(), 0
    while first < rows:
        count = 2 * threads if rows - first > 2 * threads + 1 else rows - first
        yield slice(first, first + count), threads if count > 1 else 1
        first += count


@cache
def _library() -> Any:
    """PyTorch's library, if it has MKL's functions."""
    if not (sys.platform.startswith("linux") and torch.backends.mkl.is_available()):
        return None
    try:
        library = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"))
        for name in ("DftiComputeForward", "DftiComputeBackward"):
            getattr(library, name).argtypes = [ctypes.c_void_p] * 3
        for name in ("DftiCreateDescriptor_s_1d", "DftiSetValue", "DftiCommitDescriptor", "DftiFreeDescriptor"):
            getattr(library, name)
    except (OSError, AttributeError):
        return None
    return library


class _Plan:
    """Committed descriptors for `rows` of length `n`, which any number of threads may use at once."""

    def __init__(self, n: int, rows: int, threads: int) -> None:
        self._library = _library()
        bins = n // 2 + 1
        common = {
            DFTI_NUMBER_OF_TRANSFORMS: rows,
            DFTI_CONJUGATE_EVEN_STORAGE: DFTI_COMPLEX_COMPLEX,
            DFTI_THREAD_LIMIT: threads,
        }
        there = {DFTI_PLACEMENT: DFTI_INPLACE, DFTI_INPUT_DISTANCE: 2 * bins, DFTI_OUTPUT_DISTANCE: bins}
        back = {DFTI_PLACEMENT: DFTI_NOT_INPLACE, DFTI_INPUT_DISTANCE: bins, DFTI_OUTPUT_DISTANCE: n}
        self._there, self._back = self._descriptor(n, common | there), self._descriptor(n, common | back)

    def forward(self, place: Tensor) -> None:
        """In place: `(row, 2 (n // 2 + 1))`, `n` real numbers that become the parts of their spectrum."""
        self._check(self._library.DftiComputeForward(self._there, place.data_ptr(), None))

    def backward(self, spectrum: Tensor, signal: Tensor) -> None:
        """The inverse of `(row, 2 (n // 2 + 1))`, written to `(row, n)`."""
        self._check(self._library.DftiComputeBackward(self._back, spectrum.data_ptr(), signal.data_ptr()))

    def _descriptor(self, n: int, settings: dict[int, int]) -> ctypes.c_void_p:
        handle = ctypes.c_void_p()
        self._check(self._library.DftiCreateDescriptor_s_1d(ctypes.byref(handle), DFTI_REAL, ctypes.c_long(n)))
        for name, value in settings.items():
            self._check(self._library.DftiSetValue(handle, name, ctypes.c_long(value)))
        self._check(self._library.DftiSetValue(handle, DFTI_BACKWARD_SCALE, ctypes.c_double(1 / n)))
        self._check(self._library.DftiCommitDescriptor(handle))
        return handle

    def __del__(self) -> None:
        for handle in (self._there, self._back):
            self._library.DftiFreeDescriptor(ctypes.byref(handle))

    def _check(self, status: int) -> None:
        if status:
            raise RuntimeError(f"MKL's FFT failed with status {status}")


@lru_cache(maxsize=64)
def _plan(n: int, rows: int, threads: int) -> _Plan:
    return _Plan(n, rows, threads)
