"""The memory of this process: how much it has had, and a C library that keeps what it was given.

Each step allocates and frees the same tens of megabytes. glibc returns blocks of that size to the system at once, and
the system fills every page with zeros before it lends it again. Keeping the pages halves the page faults of a step and
costs no more memory than the peak that was needed anyway.
"""

from __future__ import annotations

import ctypes
import platform
import resource
import sys
from pathlib import Path

# Names and values from glibc's malloc.h.
M_TRIM_THRESHOLD = -1
M_MMAP_MAX = -4
NEVER = 2**31 - 1


def keep_memory() -> bool:
    """Tells glibc never to give memory back before the process ends; returns whether there was a glibc to tell."""
    if platform.libc_ver()[0] != "glibc":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(M_MMAP_MAX, 0) and mallopt(M_TRIM_THRESHOLD, NEVER))


def peak_memory_mb() -> float:
    """The most memory (10^6 bytes) that this process has had at once."""
    status = Path("/proc/self/status")
    for line in status.read_text().splitlines() if status.exists() else ():
        # getrusage starts at the size of the process that started this one.
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
