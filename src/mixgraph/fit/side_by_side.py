"""Segments side by side: threads share out several of them better than the work on one.

A trial renders a few signals at a time, too few for the threads of an FFT or a kernel, and a training step waits for
Python between them. Segments do not depend on each other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from itertools import islice
from typing import TypeVar

import torch

MOST = 8
"""At once, however many threads there are: each may hold the signals of a whole console."""
Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


def side_by_side(
    work: Callable[[Item], Outcome], items: Iterable[Item], device: torch.device, *, at_once: int = MOST
) -> Generator[Outcome]:
    """`work` of each item, in order: on the CPU on `at_once` or as many as torch has threads, which share its threads.

    Whoever stops asking has had up to one less than that many done in vain. While it goes on, torch has no more threads
    than one of them.
    """
    threads = torch.get_num_threads()
    together = min(threads, at_once, MOST)
    if together == 1 or device.type != "cpu":
        yield from map(work, items)
        return
    coming, begun, each = iter(items), deque[Future[Outcome]](), threads // together
    torch.set_num_threads(each)
    try:
        pool = _pool(together, each)
        begun.extend(pool.submit(work, item) for item in islice(coming, together))
        while begun:
            yield begun.popleft().result()
            begun.extend(pool.submit(work, item) for item in islice(coming, 1))
    finally:
        wait([future for future in begun if not future.cancel()])
        torch.set_num_threads(threads)


@cache
def _pool(workers: int, threads: int) -> ThreadPoolExecutor:
    """Workers in which torch has so many threads: that is a setting of each."""
    return ThreadPoolExecutor(workers, "mixgraph-segment", initializer=torch.set_num_threads, initargs=(threads,))
