"""The course of a search, read from its history.jsonl while it grows: the losses, and which processors went."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

HISTORY = "history.jsonl"


class News(NamedTuple):
    """What came since the last look. `anew`: forget what was there before, for the run went back to a checkpoint.

    A point is `{"round", "loss"}` for a step of training (loss of one segment) and `{"round", "loss", "removed"}` for a
    trial (loss over the song); `removed` lists the ids of the processors that went, none where the trial was refused.
    """

    anew: bool
    points: list[dict[str, Any]]


class HistoryReader:
    """Reads what has been added to a history since it was last asked."""

    def __init__(self) -> None:
        self._read = 0

    def news(self, folder: Path | None) -> News:
        """What the history in a folder says that was not yet read; nothing where there is none."""
        try:
            with (folder / HISTORY if folder else Path()).open("rb") as file:
                anew = file.seek(0, 2) < self._read
                file.seek(0 if anew else self._read)
                data = file.read()
        except OSError:
            return News(False, [])
        whole = data[: data.rfind(b"\n") + 1]  # the last line may be half written
        self._read = (0 if anew else self._read) + len(whole)
        return News(anew, [point for line in whole.splitlines() if (point := _point(line))])


def _point(line: bytes) -> dict[str, Any] | None:
    try:
        said = json.loads(line)
        if said["event"] == "step":
            return {"round": said["round"], "loss": said["audio"]}
        if said["event"] == "trial":
            removed = said["candidates"] if said["accepted"] else []
            return {"round": said["round"], "loss": said["loss"], "removed": removed}
    except (ValueError, KeyError, TypeError):
        return None
    return None
