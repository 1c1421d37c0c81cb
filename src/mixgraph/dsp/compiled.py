"""Compiled loops for the CPU: where they may be used, and how they share the cores.

A kernel is a numba function over tasks and arrays that releases the interpreter's lock. Every kernel has a plain torch
version, which runs on other devices and in double precision, and which the tests compare it with.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor


def usable(*tensors: Tensor) -> bool:
    """Whether kernels can take these tensors: single precision on the CPU."""
    return all(tensor.device.type == "cpu" and tensor.dtype in (torch.float32, torch.complex64) for tensor in tensors)


def share(kernel: Callable[..., None], tasks: np.ndarray, *arguments: Any) -> None:
    """Calls `kernel(tasks, *arguments)` with a part of the rows of `tasks` on each of as many threads as torch uses."""
    threads = min(torch.get_num_threads(), len(tasks))
    helpers = [_pool(threads).submit(kernel, tasks[first::threads], *arguments) for first in range(1, threads)]
    kernel(tasks[::threads], *arguments)
    for helper in helpers:
        helper.result()


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads - 1, thread_name_prefix="mixgraph")


def array(tensor: Tensor) -> Any:
    """The memory of a tensor as a contiguous NumPy array; a copy only if it is not contiguous already."""
    return tensor.detach().contiguous().numpy()


def padded_array(signal: Tensor) -> Any:
    """Signals `(node, channel, time)` as a contiguous array whose rows may be longer, as before `signal` was cut."""
    nodes, channels, _ = signal.shape
    length = signal.stride(1)
    there = signal.untyped_storage().nbytes() // signal.element_size() - signal.storage_offset()
    if signal.stride() == (channels * length, length, 1) and there >= nodes * channels * length:
        return signal.detach().as_strided((nodes, channels, length), signal.stride()).numpy()
    return array(signal)
