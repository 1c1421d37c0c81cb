"""How threads of this process wait for work.

PyTorch's threads (GNU OpenMP) look out for more work for a millisecond and more after each operation, each keeping a
core busy, and kernels of ours that want that core wait: a step then takes up to half as long again.
"""

from __future__ import annotations

import os

SPINS = 10_000  # some ten microseconds: longer than from one operation to the next, shorter than a kernel


def wait_briefly() -> None:
    """Lets idle threads of GNU OpenMP sleep soon, unless the user chose otherwise; call it before torch is loaded."""
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", str(SPINS))
