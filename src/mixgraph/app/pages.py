"""The pages that people see."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from mixgraph.app.desk import REPORT, Desk, found
from mixgraph.app.events import all_searches, events, one_search
from mixgraph.app.settings import EFFORTS, LETTERS, RATES, TOLERANCES, Choices
from mixgraph.app.shelf import Drawing, card_of, cards, drawing_of
from mixgraph.app.songs import read_song
from mixgraph.app.templates import page
from mixgraph.audio.files import READABLE
from mixgraph.audio.subgroups import MIX_NAME
from mixgraph.errors import MixgraphError, SongError
from mixgraph.graph.palette import COLORS

REPORT_HEADERS: Final = {
    "content-security-policy": (
        "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' blob:; style-src 'unsafe-inline';"
        " img-src data: blob:; media-src data: blob:; worker-src blob:; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "unsafe-none",  # browsers refuse sandboxed pages with another one
}
"""A report runs its own scripts on its own data, in an origin of its own, and reaches nothing else."""


class Pages:
    """Everything that is read; nothing here changes anything."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.routes = [
            Route("/", self.home),
            Route("/list", self.list),
            Route("/events", self.all_events),
            Route("/palette.css", self.palette),
            Route("/songs/{name}", self.song),
            Route("/results/{name}", self.result),
            Route("/results/{name}/events", self.events),
            Route("/results/{name}/report", self.report),
            Route("/results/{name}/mix.flac", self.mix),
        ]

    async def home(self, request: Request) -> Response:
        """Drop a song; the songs there are; all results."""
        workspace, limits = self.desk.workspace, self.desk.uploads.limits
        facts = {
            "readable": list(READABLE),
            "mix_pattern": MIX_NAME.pattern,
            "file_bytes": limits.file_bytes,
            "files": limits.files,
        }
        return page(
            "home.html",
            songs=workspace.song_names(),
            cards=cards(self.desk.searches),
            problems=self.desk.searches.problems,
            folder=str(workspace.songs),
            facts=facts,
        )

    async def list(self, request: Request) -> Response:
        """The results alone, for a home page that is open."""
        return page("cards.html", cards=cards(self.desk.searches))

    async def song(self, request: Request) -> Response:
        """One song: its tracks, its subgroups, and the settings of a search."""
        name = request.path_params["name"]
        folder = found(self.desk.workspace.song(name))
        try:
            song = read_song(folder)
        except SongError as error:
            return page("broken_song.html", 200, name=name, message=self.desk.workspace.told(error))
        facts = {"song": name, "subgroups": song.subgroups, "guessed": song.guessed}
        facts["tracks"] = [asdict(track) for track in song.tracks]
        return page(
            "song.html",
            song=song,
            facts=facts,
            efforts=EFFORTS,
            tolerances=TOLERANCES,
            letters=LETTERS,
            rates=RATES,
            choices=Choices(),
        )

    async def result(self, request: Request) -> Response:
        """One result, or the search that will give it."""
        card = found(card_of(self.desk.searches, request.path_params["name"]))
        try:
            drawing = drawing_of(self.desk.searches, card)
        except MixgraphError as error:
            problem = f"This is not a complete result: {self.desk.workspace.told(error)}"
            card, drawing = replace(card, status="broken", problem=problem, outcome=None), Drawing()
        active = card.record is not None and card.record.is_active
        facts = {"name": card.name, "active": active, "strips": [strip.model_dump() for strip in drawing.strips]}
        facts |= {"removed": drawing.removed, "done": card.status == "done"}
        facts["total"] = card.outcome.initial if card.outcome else None
        song = card.record and self.desk.workspace.song(card.record.song) and card.record.song
        return page("result.html", card=card, active=active, facts=facts, song=song)

    async def report(self, request: Request) -> Response:
        """The report of a result; where there is none yet, a page that has it made."""
        name = request.path_params["name"]
        folder = found(self.desk.workspace.result(name))
        file = folder / REPORT
        if file.is_symlink() or not file.is_file():
            card = found(card_of(self.desk.searches, name))
            return page("report.html", card=card)
        return FileResponse(file, headers=REPORT_HEADERS, media_type="text/html")

    async def mix(self, request: Request) -> Response:
        """The mix as the found graph makes it."""
        name = request.path_params["name"]
        file = found(self.desk.workspace.result(name)) / "mix.flac"
        found(file if file.is_file() and not file.is_symlink() else None)
        return FileResponse(file, media_type="audio/flac", filename=f"{name}.flac")

    async def all_events(self, request: Request) -> Response:
        """What changes in the list."""
        return events(self.desk, all_searches(self.desk.searches))

    async def events(self, request: Request) -> Response:
        """What changes in one search."""
        name = request.path_params["name"]
        found(card_of(self.desk.searches, name))
        return events(self.desk, one_search(self.desk.searches, name))

    async def palette(self, request: Request) -> Response:
        """The colour of each processor type, as everywhere else."""
        rules = [f'[data-type="{kind}"] {{ --type: {color}; }}' for kind, color in COLORS.items()]
        return PlainTextResponse("\n".join(rules), media_type="text/css")
