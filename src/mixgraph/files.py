"""Files that are either complete or not there."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from uuid import uuid4

from mixgraph.errors import OutputError


def write_bytes(path: Path, content: bytes | memoryview) -> None:
    """Writes under a temporary name beside `path`, then renames; a failure leaves nothing and raises `OutputError`."""
    if not path.parent.is_dir():
        raise OutputError(f"{path}: the folder {path.parent} does not exist; create it first")
    partial = path.with_name(f".{path.name}.{uuid4().hex[:8]}.partial")
    try:
        with partial.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise output_error(path, error) from error
    finally:
        partial.unlink(missing_ok=True)


def output_error(path: Path, error: OSError) -> OutputError:
    """What an operating-system error while writing means to the user."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return OutputError(f"{path}: the disk is full ({error.strerror}); free some space, then try again")
    return OutputError(f"{path}: cannot be written ({error.strerror or error}); choose another place")
