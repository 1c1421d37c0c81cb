"""The folder in which a search works until its result is complete: checkpoints and history.

`OUT.partial` lies beside `OUT` and is renamed to it at the end, so a folder that exists is complete. Whatever kills a
run, the last checkpoint in `OUT.partial` is whole: tensors are written first, under a new name, and then
`checkpoint.json` is replaced, which names them.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from mixgraph.errors import OutputError, ResultError
from mixgraph.files import output_error
from mixgraph.result.files import read_json, read_tensors, write_json, write_tensors

CHECKPOINT = "checkpoint.json"
HISTORY = "history.jsonl"
GRAPH = "graph.json"


@dataclass(frozen=True)
class Checkpoint:
    """What a broken-off run left: plain facts and tensors, and the trials recorded after it."""

    facts: dict[str, Any]
    tensors: dict[str, Tensor]
    trials: list[dict[str, Any]] = field(default_factory=list)


class Workspace:
    """The work folder of one search. Raises `OutputError` if the output cannot be had."""

    def __init__(self, output: Path, *, resume: bool = False, overwrite: bool = False) -> None:
        self.output = output
        self.folder = partial_folder(output)
        self._lines: list[str] = []
        self._written = 0
        check_output(output, resume=resume, overwrite=overwrite)
        try:
            if self.folder.exists() and not resume:
                shutil.rmtree(self.folder)
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(self.folder, error) from None

    def note(self, line: dict[str, Any], *, flush: bool = False) -> None:
        """Adds a line to the history; it reaches the disk with the next flush or checkpoint."""
        self._lines.append(json.dumps(line, allow_nan=False) + "\n")
        if flush:
            self._flush()

    def save(self, facts: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        """Writes a checkpoint that replaces the one before."""
        self._flush()
        old = set(self.folder.glob("checkpoint-*.safetensors"))
        number = 1 + max((int(path.stem.split("-")[1]) for path in old), default=0)
        name = f"checkpoint-{number}.safetensors"
        write_tensors(self.folder / name, tensors)
        write_json(self.folder / CHECKPOINT, {"tensors": name, "history_bytes": self._written, "facts": facts})
        for path in old:
            path.unlink()

    def load(self) -> Checkpoint | None:
        """The last checkpoint, or None in a new folder; drops history that came after it, but for recorded trials."""
        if not (self.folder / CHECKPOINT).exists():
            (self.folder / HISTORY).unlink(missing_ok=True)
            return None
        saved = read_json(self.folder / CHECKPOINT)
        try:
            name, size, facts = saved["tensors"], int(saved["history_bytes"]), saved["facts"]
        except (KeyError, TypeError, ValueError):
            raise ResultError(f"{self.folder / CHECKPOINT}: not a checkpoint; start anew with --overwrite") from None
        history = self.folder / HISTORY
        data = history.read_bytes() if history.exists() else b""
        if len(data) > size:
            os.truncate(history, size)
        for unfinished in self.folder.glob(".*.partial"):
            unfinished.unlink()
        self._written = size
        trials = [line for line in _whole_lines(data[size:]) if line.get("event") == "trial"]
        return Checkpoint(facts, read_tensors(self.folder / Path(name).name), trials)

    def finish(self) -> None:
        """Gives the folder its final name, then drops the checkpoints: killed in between, nothing is lost."""
        self._flush()
        old = self.output.with_name(f"{self.output.name}.old")
        try:
            if self.output.exists():
                shutil.rmtree(old, ignore_errors=True)
                self.output.rename(old)
            self.folder.rename(self.output)
        except OSError as error:
            raise output_error(self.output, error) from None
        for path in self.output.glob("checkpoint*"):
            path.unlink()
        shutil.rmtree(old, ignore_errors=True)

    def _flush(self) -> None:
        data = "".join(self._lines).encode()
        try:
            with (self.folder / HISTORY).open("ab") as file:
                file.write(data)
        except OSError as error:
            raise output_error(self.folder / HISTORY, error) from None
        self._written += len(data)
        self._lines.clear()


def partial_folder(output: Path) -> Path:
    """Where the search for `output` works until it is complete."""
    return output.with_name(f"{output.name}.partial")


def check_output(output: Path, *, resume: bool, overwrite: bool) -> None:
    """Raises `OutputError` where a search could not put its result; writes nothing."""
    partial = partial_folder(output)
    if output.exists() and not overwrite:
        raise OutputError(f"{output}: exists already; choose another folder with -o, or replace it with --overwrite")
    if partial.exists() and not resume and not overwrite:
        raise OutputError(f"{partial}: holds an unfinished run; continue it with --resume or drop it with --overwrite")
    # `--overwrite` with a slip of the keyboard must not cost anybody a music folder.
    if output.exists() and not ((output / GRAPH).is_file() or _is_empty(output)):
        raise OutputError(f"{output}: is no result of mixgraph, so --overwrite leaves it alone; choose another folder")


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


def _whole_lines(data: bytes) -> list[dict[str, Any]]:
    """Lines up to the first that was cut off."""
    lines = []
    for line in data.splitlines(keepends=True):
        if not line.endswith(b"\n"):
            break
        lines.append(json.loads(line))
    return lines
