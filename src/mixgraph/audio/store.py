"""Where decoded audio lives: in memory, or in a temporary file that the system removes by itself."""

from __future__ import annotations

import tempfile
import weakref
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import numpy as np

from mixgraph.errors import OutputError


@final
@dataclass(frozen=True)
class Recording:
    """Decoded audio (frames, 1 or 2 channels), float32, whose first frame lies at sample `start` of the song."""

    frames: np.ndarray
    start: int = 0

    def read_into(self, out: np.ndarray, start: int) -> None:
        """Writes the song's samples from `start` on into `out` (2, length), where this recording has any."""
        first = max(start, self.start)
        last = min(start + out.shape[1], self.start + len(self.frames))
        if first < last:
            out[:, first - start : last - start] = self.frames[first - self.start : last - self.start].T


class Store(ABC):
    """Keeps recordings until it is closed."""

    @abstractmethod
    def add(self, blocks: Iterable[np.ndarray]) -> np.ndarray:
        """Keeps consecutive blocks (frames, channels) and returns them as one array (frames, channels)."""

    @abstractmethod
    def close(self) -> None:
        """Frees what the store holds."""


@final
class MemoryStore(Store):
    """Plain arrays."""

    def add(self, blocks: Iterable[np.ndarray]) -> np.ndarray:
        """Copies the blocks into one array."""
        return np.concatenate(list(blocks))

    def close(self) -> None:
        """Nothing to do: arrays go with their last user."""


@final
class FileStore(Store):
    """One raw float32 file in the system's temporary folder, mapped for reading.

    The file has no name where the system allows that, so that nothing is left behind even when the process is killed.
    """

    def __init__(self) -> None:
        self._file = self._on_disk(tempfile.TemporaryFile, prefix="mixgraph-")
        self._close = weakref.finalize(self, self._file.close)

    def add(self, blocks: Iterable[np.ndarray]) -> np.ndarray:
        """Appends the blocks to the file and maps them; raises `OutputError` where the disk is full."""
        offset = self._file.seek(0, 2)
        frames, channels = 0, 1
        for block in blocks:
            # Not through the map: a full disk would end the process there instead of raising.
            self._on_disk(self._file.write, np.ascontiguousarray(block, dtype=np.float32))
            frames, channels = frames + block.shape[0], block.shape[1]
        self._on_disk(self._file.flush)
        if frames == 0:
            return np.zeros((0, channels), np.float32)
        return np.memmap(self._file, np.float32, mode="r", offset=offset, shape=(frames, channels))

    def close(self) -> None:
        """Removes the file; garbage collection and the end of Python do it too."""
        self._close()

    @staticmethod
    def _on_disk(action, *arguments, **options):
        try:
            return action(*arguments, **options)
        except OSError as error:
            raise OutputError(
                f"{tempfile.gettempdir()}: no room for decoded audio ({error.strerror});"
                " free some space, point TMPDIR to a larger disk or raise memory_budget_mb"
            ) from error
