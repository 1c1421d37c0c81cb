"""The one folder that the page works in. Nothing outside of it is read, listed or written.

WORKSPACE/
  songs/NAME/          mix.*, tracks/ and song.toml: one song each
  results/NAME/        the result of a search; NAME.partial while it is unfinished
  .mixgraph/searches/  NAME.json: what was asked for; NAME.log: what its process said
  .mixgraph/uploads/   songs on their way in
  .mixgraph/lock       held by the one server of this folder, and by its search
"""

from __future__ import annotations

import fcntl
import shutil
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, final
from uuid import uuid4

from mixgraph.errors import OutputError
from mixgraph.files import output_error

PARTIAL = ".partial"


@final
class Workspace(AbstractContextManager["Workspace", None]):
    """A workspace, ours until it is closed; raises `OutputError` where it cannot be had or another server has it."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        inside = self.root / ".mixgraph"
        self.songs, self.results = self.root / "songs", self.root / "results"
        self.searches, self.uploads = inside / "searches", inside / "uploads"
        try:
            for folder in (self.songs, self.results, self.searches, self.uploads):
                folder.mkdir(parents=True, exist_ok=True)
            self.lock = _lock(inside / "lock")
        except OSError as error:
            raise output_error(self.root, error) from None
        for leftover in [*self.uploads.iterdir(), *inside.glob("removed-*")]:
            shutil.rmtree(leftover, ignore_errors=True)

    def __exit__(self, *_: object) -> None:
        self.lock.close()

    def song_names(self) -> list[str]:
        """Names of the song folders, in order."""
        return sorted(_folders(self.songs), key=str.casefold)

    def result_names(self) -> list[str]:
        """Names of all results and unfinished runs, in order."""
        return sorted({name.removesuffix(PARTIAL) for name in _folders(self.results)}, key=str.casefold)

    def song(self, name: str) -> Path | None:
        """The folder of a song; None where there is no such song, whatever the name tries to be."""
        return self.songs / name if name in _folders(self.songs) else None

    def result(self, name: str) -> Path | None:
        """The folder of a finished result; None where there is none."""
        return self.results / name if name in _folders(self.results) and not name.endswith(PARTIAL) else None

    def partial(self, name: str) -> Path | None:
        """The folder of an unfinished run; None where there is none."""
        return self.results / f"{name}{PARTIAL}" if f"{name}{PARTIAL}" in _folders(self.results) else None

    def remove(self, folder: Path) -> None:
        """Removes a folder that one of the methods above gave: at once from sight, then from the disk."""
        gone = self.searches.parent / f"removed-{uuid4().hex}"
        try:
            folder.rename(gone)
        except OSError as error:
            raise output_error(folder, error) from None
        shutil.rmtree(gone, ignore_errors=True)

    def told(self, error: object) -> str:
        """An error's text, with paths as they are seen from the workspace."""
        return str(error).replace(f"{self.root}/", "")


def _folders(parent: Path) -> set[str]:
    """Names of the visible folders in a folder; links are none, for they may lead outside."""
    found = (path for path in parent.iterdir() if not path.name.startswith("."))
    return {path.name for path in found if path.is_dir() and not path.is_symlink()}


def _lock(path: Path) -> IO[bytes]:
    """Held as long as the file is open here, or in a process that inherited it: two searches never share a folder."""
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        cure = "close it (its search may need some seconds to stop), or choose another folder with --workspace"
        raise OutputError(f"{path.parents[1]}: another `mixgraph app` works in this folder; {cure}") from None
    return file
