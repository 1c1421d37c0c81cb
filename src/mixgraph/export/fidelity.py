"""What an export keeps of each processor: exact, fitted with an error in dB, or printed as audio."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from mixgraph.dsp.units import number
from mixgraph.errors import ResultError
from mixgraph.files import write_bytes, write_json

JSON, MARKDOWN = "fidelity.json", "fidelity.md"
MEANINGS = {
    "exact": "computes what mixgraph computes, up to rounding",
    "fitted": "comes near; the error is what it misses",
    "printed": "is in the audio and cannot be turned any more",
    "left out": "is not in this export",
}


@dataclass(frozen=True)
class Fate:
    """What became of one processor.

    `error_db` is, of a fitted one, how far it is off (RMS over frequencies or levels, `how` says which).
    """

    id: str
    type: str
    kept: Literal["exact", "fitted", "printed", "left out"]
    how: str
    error_db: float | None = None

    def __post_init__(self) -> None:
        if (self.kept == "fitted") != (self.error_db is not None):
            raise ResultError(f"node '{self.id}' is {self.kept} with the error {self.error_db}; only a fit has one")

    @property
    def label(self) -> str:
        """Such as `exact` or `fitted (1.20 dB)`."""
        return self.kept if self.error_db is None else f"{self.kept} ({number(self.error_db, 2)} dB)"


def summary(fates: Sequence[Fate]) -> str:
    """Such as `12 exact, 3 fitted`."""
    counts = Counter(fate.kept for fate in fates)
    return ", ".join(f"{counts[kept]} {kept}" for kept in MEANINGS if counts[kept]) or "no processors"


def write_fidelity(folder: Path, name: str, format: str, fates: Sequence[Fate]) -> None:
    """Writes the table as Markdown and as JSON."""
    document = {"song": name, "format": format, "processors": [asdict(fate) for fate in fates]}
    write_json(folder / JSON, document)
    rows = [f"| {_cell(fate.id)} | {fate.label} | {_cell(fate.how)} |" for fate in fates]
    meanings = [f"- {kept}: {meaning}." for kept, meaning in MEANINGS.items()]
    head = [f"# {name} as {format}: {summary(fates)}", "", "| processor | kept | how |", "|---|---|---|"]
    write_bytes(folder / MARKDOWN, "\n".join([*head, *rows, "", *meanings, ""]).encode())


def is_export(folder: Path) -> bool:
    """Whether a folder was written by an export."""
    try:
        return "format" in json.loads((folder / JSON).read_text("utf-8"))
    except (OSError, ValueError, TypeError):
        return False


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
