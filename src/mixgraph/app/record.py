"""What was asked for: one JSON file per search, so that a restart forgets nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal, final

from pydantic import BaseModel, ConfigDict, ValidationError

from mixgraph.app.settings import Choices
from mixgraph.app.strips import Strip
from mixgraph.config import SearchConfig
from mixgraph.errors import ResultError
from mixgraph.files import write_json

Status = Literal["queued", "running", "stopping", "stopped", "failed", "done"]
ACTIVE: Final = ("queued", "running", "stopping")


@final
class Record(BaseModel):
    """One search. `config` is kept whole, so that a later preset does not change what is resumed.

    `spent` are the seconds of earlier sittings, `expected` those of `estimate.expected_seconds`; `console` is the full
    console, known once the search has begun.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    song: str
    title: str
    choices: Choices
    config: SearchConfig
    created: float
    status: Status = "queued"
    error: str = ""
    spent: float = 0.0
    expected: float = 0.0
    console: tuple[Strip, ...] = ()

    @property
    def is_active(self) -> bool:
        """Whether it runs or waits to."""
        return self.status in ACTIVE

    def save(self, folder: Path) -> None:
        """Writes `NAME.json`; raises `OutputError`."""
        write_json(folder / f"{self.name}.json", self.model_dump(mode="json"))

    @classmethod
    def load(cls, file: Path) -> Record:
        """Reads a record; raises `ResultError` naming the file."""
        try:
            record = cls.model_validate_json(file.read_bytes())
        except (OSError, ValidationError) as error:
            raise ResultError(f"{file}: cannot be read as a search of this page ({error}); remove it") from None
        if record.name != file.stem:
            raise ResultError(f"{file}: is about '{record.name}'; rename it back")
        return record
