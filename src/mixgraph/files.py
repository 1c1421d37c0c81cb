"""Files and folders that are either complete or not there."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from mixgraph.errors import ConfigError, OutputError, ResultError


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


def write_json(path: Path, value: Any) -> None:
    """Writes indented JSON as `write_bytes` does."""
    write_bytes(path, (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """An empty, hidden folder beside `path` that replaces what is there once all is in it.

    A failure leaves what was at `path`; one of the operating system raises `OutputError`.
    """
    home = path.absolute()  # "." has no name
    partial = home.with_name(f".{home.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        yield partial
        if home.exists():
            shutil.rmtree(home)
        partial.rename(home)
    except OSError as error:
        raise output_error(path, error) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def read_json(path: Path, cure: str) -> dict[str, Any]:
    """Reads a JSON object; raises `ResultError` naming the file and the cure."""
    try:
        value = json.loads(path.read_bytes().decode())
    except FileNotFoundError:
        raise ResultError(f"{path}: missing; {cure}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ResultError(f"{path}: cannot be read as JSON ({error}); {cure}") from None
    if not isinstance(value, dict):
        raise ResultError(f"{path}: holds {value!r:.40} where an object is expected; {cure}")
    return value


def read_toml(path: Path, cure: str) -> dict[str, Any]:
    """Reads a TOML file; raises `ConfigError` naming it, with `cure` where there is no such file."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; {cure}") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read as TOML ({error}); mend the file") from None


def output_error(path: Path, error: OSError) -> OutputError:
    """What an operating-system error while writing means to the user."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return OutputError(f"{path}: the disk is full ({error.strerror}); free some space, then try again")
    return OutputError(f"{path}: cannot be written ({error.strerror or error}); choose another place")
