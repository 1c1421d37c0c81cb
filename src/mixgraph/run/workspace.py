"""The folder in which a search works until its result is complete: a checkpoint and the history.

`OUT.partial` lies beside `OUT` and is renamed to it at the end, so a folder that exists is complete. The
checkpoint is one file that is replaced whole, so it can be used, whatever kills a run.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import safe_open
from torch import Tensor

from mixgraph.errors import OutputError, ResultError
from mixgraph.files import output_error
from mixgraph.result.result import GRAPH, read_tensors, write_tensors


@dataclass(frozen=True)
class Checkpoint:
    """What a broken-off run left: plain facts and tensors, and the trials recorded after it."""

    facts: dict[str, Any]
    tensors: dict[str, Tensor]
    trials: list[dict[str, Any]]


class Workspace:
    """The work folder of one search. Raises `OutputError` if the output cannot be had."""

    def __init__(self, output: Path, *, resume: bool = False, overwrite: bool = False) -> None:
        self.output, self.folder = output, partial_folder(output)
        self.checkpoint, self.history = self.folder / "checkpoint.safetensors", self.folder / "history.jsonl"
        check_output(output, resume=resume, overwrite=overwrite)
        try:
            if self.folder.exists() and not resume:
                shutil.rmtree(self.folder)
            self.folder.mkdir(parents=True, exist_ok=True)
            self.history.touch()
        except OSError as error:
            raise output_error(self.folder, error) from None

    def note(self, line: dict[str, Any]) -> None:
        """Adds a line to the history."""
        try:
            with self.history.open("ab") as file:
                file.write(json.dumps(line, allow_nan=False).encode() + b"\n")
        except OSError as error:
            raise output_error(self.history, error) from None

    def save(self, facts: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        """Writes a checkpoint that replaces the one before."""
        sizes = {"history_bytes": str(self.history.stat().st_size)}
        write_tensors(self.checkpoint, tensors, sizes | {"facts": json.dumps(facts, allow_nan=False)})

    def load(self) -> Checkpoint | None:
        """The last checkpoint, or None in a new folder; drops history that came after it, but for recorded trials."""
        checkpoint, size, data = None, 0, self.history.read_bytes()
        if self.checkpoint.exists():
            tensors = read_tensors(self.checkpoint)
            try:
                with safe_open(self.checkpoint, "pt") as file:
                    size, facts = int(file.metadata()["history_bytes"]), json.loads(file.metadata()["facts"])
            except (KeyError, TypeError, ValueError):
                raise ResultError(f"{self.checkpoint}: not a checkpoint; start anew with --overwrite") from None
            whole = data[size : data.rfind(b"\n") + 1]  # a kill may have cut the last line off
            trials = [line for line in map(json.loads, whole.splitlines()) if line.get("event") == "trial"]
            checkpoint = Checkpoint(facts, tensors, trials)
        if len(data) > size:
            os.truncate(self.history, size)
        for unfinished in self.folder.glob(".*.partial"):
            unfinished.unlink()
        return checkpoint

    def finish(self) -> None:
        """Gives the folder its final name, then drops the checkpoint: killed in between, nothing is lost."""
        old = self.output.with_name(f"{self.output.name}.old")
        try:
            if self.output.exists():
                shutil.rmtree(old, ignore_errors=True)
                self.output.rename(old)
            self.folder.rename(self.output)
        except OSError as error:
            raise output_error(self.output, error) from None
        (self.output / self.checkpoint.name).unlink(missing_ok=True)
        shutil.rmtree(old, ignore_errors=True)


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
    is_empty = output.is_dir() and not any(output.iterdir())
    if output.exists() and not is_empty and not (output / GRAPH).is_file():
        raise OutputError(f"{output}: is no result of mixgraph, so --overwrite leaves it alone; choose another folder")
