"""Who works on a song: a lock on a file, which the system frees when its holder ends, however it ends.

`flock` and not a file that is there or not: a killed holder leaves nothing behind that others would have to judge. It
holds between machines too where the file system carries locks: NFS (Linux makes it a byte-range lock on the server;
with version 4 the server frees those of a dead machine when its lease runs out, after 90 s by default), CephFS, GPFS,
BeeGFS, and Lustre if mounted with `-o flock`.
"""

from __future__ import annotations

import errno
import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from mixgraph.errors import OutputError
from mixgraph.files import output_error

HELD = (errno.EWOULDBLOCK, errno.EACCES)
TRIES, PAUSE_S = 10, 0.05
"""Whoever only asks holds a lock for an instant."""


@contextmanager
def claim(file: Path) -> Iterator[bool]:
    """Holds the lock of a file, made if need be, and says whether it could be had; raises `OutputError`."""
    with _open(file, "ab") as held:
        for _ in range(TRIES):
            if got := _lock(file, held, fcntl.LOCK_EX | fcntl.LOCK_NB):
                break
            time.sleep(PAUSE_S)
        yield got


@contextmanager
def turn(file: Path) -> Iterator[None]:
    """Waits for the lock of a file and holds it: for what takes an instant. Raises `OutputError`."""
    with _open(file, "ab") as held:
        _lock(file, held, fcntl.LOCK_EX)
        yield


def is_claimed(file: Path) -> bool:
    """Whether anybody holds the lock of a file; raises `OutputError`."""
    if not file.is_file():
        return False
    with _open(file, "rb") as asked:
        # Shared, so that two who ask do not take each other for the holder.
        return not _lock(file, asked, fcntl.LOCK_SH | fcntl.LOCK_NB)


def _open(file: Path, mode: str) -> IO[bytes]:
    try:
        return file.open(mode)
    except OSError as error:
        raise output_error(file, error) from None


def _lock(file: Path, held: IO[bytes], how: int) -> bool:
    try:
        fcntl.flock(held, how)
    except OSError as error:
        if error.errno in HELD:
            return False
        cure = "mount it with locks (Lustre: -o flock), or put the corpus elsewhere"
        raise OutputError(f"{file}: this file system has no locks ({error.strerror}); {cure}") from None
    return True
