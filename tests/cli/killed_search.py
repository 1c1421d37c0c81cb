"""A search that kills itself, for `test_resume`: SONG OUTPUT PLACE, a place such as `prune:2:3` or `checkpoint:4`."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

import torch

from mixgraph.run import workspace
from mixgraph.run.events import Progress
from tests.cli.tiny import search


def die(*_: Any) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still here")


def main(song: str, output: str, place: str) -> None:
    stage, *numbers = place.split(":")
    deadly = tuple(int(number) for number in numbers)

    def watch(progress: Progress) -> None:
        if (progress.stage, progress.round, progress.step) == (stage, *deadly):
            die()

    if stage == "checkpoint":
        written, write = 0, workspace.write_tensors

        def write_until(path: Path, *content: Any) -> None:
            nonlocal written
            written += 1
            if written == deadly[0]:
                path.with_name(f".{path.name}.0123abcd.partial").write_bytes(b"half")
                die()  # the new checkpoint is half written, the one before it still there
            write(path, *content)

        workspace.write_tensors = write_until
    search(Path(song), Path(output), watch=watch, checkpoint_seconds=0.0)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(*sys.argv[1:])
