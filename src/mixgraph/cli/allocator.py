"""Makes the C library keep the memory it has been given.

Each step allocates and frees the same tens of megabytes. glibc returns blocks of that size to the system at once, and
the system fills every page with zeros before it lends it again. Keeping the pages halves the page faults of a step and
costs no more memory than the peak that was needed anyway.
"""

from __future__ import annotations

import ctypes
import platform

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
