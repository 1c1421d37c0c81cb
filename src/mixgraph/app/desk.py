"""What all requests work with: one workspace, its uploads, its searches, its reports."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar, final

from starlette.exceptions import HTTPException
from starlette.requests import Request

from mixgraph.app.estimate import expected_seconds, pace
from mixgraph.app.names import folder_name
from mixgraph.app.record import Record
from mixgraph.app.searches import Searches
from mixgraph.app.settings import Choices
from mixgraph.app.shelf import CURE, PROVENANCE, cards
from mixgraph.app.songs import SongFacts, read_contained, read_song
from mixgraph.app.uploads import Uploads
from mixgraph.app.workspace import Workspace
from mixgraph.errors import ConfigError, ResultError, SongError
from mixgraph.files import read_json

T = TypeVar("T")
REPORT: Final = "report.html"
LONGEST_FORM: Final = 2_000_000


@final
class Desk:
    """The state of one server. `closing` tells those who send for long that it is about to end."""

    def __init__(self, workspace: Workspace, closing: Callable[[], bool]) -> None:
        self.workspace, self.closing = workspace, closing
        self.uploads, self.searches = Uploads(workspace), Searches(workspace)
        self._reports: dict[str, asyncio.Task[None]] = {}

    def pace(self) -> float | None:
        """How much longer searches took here than expected."""
        known = [(card.record, card.outcome) for card in cards(self.searches)]
        return pace((outcome.seconds, record.expected) for record, outcome in known if record and outcome)

    def expected(self, song: SongFacts, choices: Choices) -> float:
        """Seconds that a search should take on the machine that costs were measured on."""
        strips = song.strips if choices.use_subgroups else 2 * len(song.tracks)
        return expected_seconds(choices.config(), strips=strips, seconds=song.seconds)

    def begin(self, song_name: str, folder: Path, choices: Choices) -> str:
        """Puts a search of a song into the queue; returns the name of its result."""
        song, taken = read_song(folder), [*self.workspace.result_names(), *self.searches.records]
        record = Record(
            name=folder_name(song.title, taken),
            song=song_name,
            title=song.title,
            choices=choices,
            config=choices.config(),
            created=time.time(),
            expected=self.expected(song, choices),
        )
        self.searches.add(record)
        return record.name

    def remove_song(self, name: str, folder: Path) -> None:
        """Removes a song; its results stay. Raises `SongError` while it is searched."""
        if any(record.song == name and record.is_active for record in self.searches.records.values()):
            raise SongError(f"{name}: is being searched; stop that first")
        self.workspace.remove(folder)

    def remove_result(self, name: str) -> None:
        """Removes a result or what is left of an unfinished run; raises `ResultError` at an active one."""
        self.searches.forget(name)
        for folder in (self.workspace.result(name), self.workspace.partial(name)):
            if folder:
                self.workspace.remove(folder)

    async def make_report(self, name: str, folder: Path) -> None:
        """Writes the report of a result, in a process of its own; raises `ResultError` with what went wrong."""
        if name not in self._reports:
            self._reports[name] = asyncio.create_task(_write_report(folder, self._song_of(name, folder)))
            self._reports[name].add_done_callback(lambda _: self._reports.pop(name))
        await asyncio.shield(self._reports[name])

    def _song_of(self, name: str, result: Path) -> Path:
        """The song of a result, if it is one of the workspace: a result can name any folder of the disk."""
        record = self.searches.records.get(name)
        named = record.song if record else Path(str(read_json(result / PROVENANCE, CURE).get("song_folder"))).name
        song = self.workspace.song(named)
        if song is None:
            cure = f"copy it there, or use `mixgraph report {result}` on the command line"
            raise SongError(f"the song of this result, '{named}', is not in {self.workspace.songs}; {cure}")
        read_contained(song)
        return song


async def _write_report(folder: Path, song: Path) -> None:
    command = (sys.executable, "-m", "mixgraph", "report", str(folder), str(song), "-o", str(folder / REPORT))
    pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdin=nothing, stdout=nothing, stderr=pipe)
    _, said = await process.communicate()
    if process.returncode:
        lines = said.decode(errors="replace").strip().splitlines() or ["it did not say why"]
        raise ResultError(f"the report could not be made: {lines[-1].removeprefix('mixgraph: error: ')}")


def found(thing: T | None) -> T:
    """The thing, or the answer 404."""
    if thing is None:
        raise HTTPException(404)
    return thing


async def form_of(request: Request) -> dict[str, Any]:
    """The JSON object that a request brings; raises `ConfigError` at anything else."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_FORM:
            raise ConfigError(f"the form has more than {LONGEST_FORM} bytes; shorten it")
    try:
        form = json.loads(body)
    except ValueError:
        form = None
    if not isinstance(form, dict):
        raise ConfigError("the form is no JSON object; reload the page and try again")
    return form
