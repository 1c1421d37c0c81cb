"""Segments side by side: work on each of several that has little to share out itself, one thread each.

A trial renders a few signals at a time, too few for the threads of an FFT or a kernel. Many segments have to be
rendered, though, and do not depend on each other.
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


def side_by_side(work: Callable[[Item], Outcome], items: Iterable[Item], device: torch.device) -> Generator[Outcome]:
    """`work` of each item, in order: on the CPU on as many at once as torch has threads, each on one thread.

    Whoever stops asking has had up to one less than that many done in vain. While it goes on, torch has one thread.
    """
    threads = torch.get_num_threads()
    if threads == 1 or device.type != "cpu":
        yield from map(work, items)
        return
    coming, begun = iter(items), deque[Future[Outcome]]()
    torch.set_num_threads(1)
    try:
        pool = _pool(min(threads, MOST))
        begun.extend(pool.submit(work, item) for item in islice(coming, min(threads, MOST)))
        while begun:
            yield begun.popleft().result()
            begun.extend(pool.submit(work, item) for item in islice(coming, 1))
    finally:
        wait([future for future in begun if not future.cancel()])
        torch.set_num_threads(threads)


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    """Workers in which torch has one thread: that is a setting of each thread."""
    return ThreadPoolExecutor(threads, thread_name_prefix="mixgraph-segment", initializer=_one_thread)


def _one_thread() -> None:
    torch.set_num_threads(1)
