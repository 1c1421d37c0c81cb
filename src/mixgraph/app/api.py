"""What pages ask to be done. Everything here answers with JSON: what was made, or one line that says what is wrong."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mixgraph.app.desk import Desk, form_of, found
from mixgraph.app.estimate import span_of
from mixgraph.app.names import check_name
from mixgraph.app.settings import EFFORTS, Choices
from mixgraph.app.shelf import card_of
from mixgraph.app.songs import choose_subgroups, read_song
from mixgraph.app.templates import span
from mixgraph.app.uploads import Incoming
from mixgraph.errors import ConfigError, SongError


class Api:
    """Everything that changes something, and the estimate."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.routes = [
            Route("/api/uploads", self.begin_upload, methods=["POST"]),
            Route("/api/uploads/{upload}", self.drop_upload, methods=["DELETE"]),
            Route("/api/uploads/{upload}/song", self.finish_upload, methods=["POST"]),
            Route("/api/uploads/{upload}/files/{place:path}", self.receive, methods=["PUT"]),
            Route("/api/songs/{name}", self.change_song, methods=["PUT"]),
            Route("/api/songs/{name}", self.remove_song, methods=["DELETE"]),
            Route("/api/songs/{name}/estimate", self.estimate, methods=["POST"]),
            Route("/api/songs/{name}/search", self.search, methods=["POST"]),
            Route("/api/results/{name}", self.remove_result, methods=["DELETE"]),
            Route("/api/results/{name}/stop", self.stop, methods=["POST"]),
            Route("/api/results/{name}/resume", self.resume, methods=["POST"]),
            Route("/api/results/{name}/report", self.make_report, methods=["POST"]),
        ]

    async def begin_upload(self, request: Request) -> Response:
        """`{"files": [{"place", "bytes"}]}` → `{"upload"}`; refuses here what would be refused later."""
        files = (await form_of(request)).get("files")
        try:
            incoming = [Incoming(str(file["place"]), int(file["bytes"])) for file in files or ()]
        except (TypeError, KeyError, ValueError):
            raise ConfigError("the list of files is not one; reload the page and try again") from None
        return JSONResponse({"upload": self.desk.uploads.begin(incoming)})

    async def receive(self, request: Request) -> Response:
        """One file, as the body."""
        folder = found(self.desk.uploads.folder(request.path_params["upload"]))
        length = request.headers.get("content-length", "")
        if not length.isdecimal():
            raise SongError("the size of the file was not announced; reload the page and try again")
        try:
            file = Incoming(request.path_params["place"], int(length))
            await self.desk.uploads.receive(folder, file, request.stream())
        except ClientDisconnect:
            return Response(status_code=499)  # nobody is there to read it
        return JSONResponse({})

    async def drop_upload(self, request: Request) -> Response:
        """Forgets what has arrived."""
        self.desk.workspace.remove(found(self.desk.uploads.folder(request.path_params["upload"])))
        return JSONResponse({})

    async def finish_upload(self, request: Request) -> Response:
        """`{"title"}` → `{"song"}`."""
        folder = found(self.desk.uploads.folder(request.path_params["upload"]))
        title = str((await form_of(request)).get("title", ""))
        return JSONResponse({"song": self.desk.uploads.finish(folder, title)})

    async def change_song(self, request: Request) -> Response:
        """`{"title", "subgroups": {name: [tracks]}}`."""
        folder, form = found(self.desk.workspace.song(request.path_params["name"])), await form_of(request)
        subgroups = form.get("subgroups")
        if not isinstance(subgroups, dict):
            raise ConfigError("the subgroups are no table; reload the page and try again")
        for group in subgroups:
            check_name(group, "the subgroup")
        choose_subgroups(folder, str(form.get("title", "")), subgroups)
        return JSONResponse({})

    async def remove_song(self, request: Request) -> Response:
        """Removes it from the disk."""
        name = request.path_params["name"]
        self.desk.remove_song(name, found(self.desk.workspace.song(name)))
        return JSONResponse({})

    async def estimate(self, request: Request) -> Response:
        """The choices → how long each effort should take with them, as text."""
        song = read_song(found(self.desk.workspace.song(request.path_params["name"])))
        choices, pace = Choices.read(await form_of(request)), self.desk.pace()
        spans = {}
        for effort in EFFORTS:
            expected = self.desk.expected(song, choices.model_copy(update={"effort": effort}))
            spans[effort] = span(*span_of(expected, pace))
        return JSONResponse({"spans": spans, "measured_here": pace is not None})

    async def search(self, request: Request) -> Response:
        """The choices → `{"result"}`, which waits for its turn."""
        name = request.path_params["name"]
        folder, choices = found(self.desk.workspace.song(name)), Choices.read(await form_of(request))
        return JSONResponse({"result": self.desk.begin(name, folder, choices)})

    async def stop(self, request: Request) -> Response:
        """Stops a search after its current step."""
        return self._do(request, self.desk.searches.stop)

    async def resume(self, request: Request) -> Response:
        """Puts a stopped search into the queue again."""
        return self._do(request, self.desk.searches.resume)

    async def remove_result(self, request: Request) -> Response:
        """Removes a result, or what is left of a run, from the disk."""
        found(card_of(self.desk.searches, request.path_params["name"]))
        return self._do(request, self.desk.remove_result)

    async def make_report(self, request: Request) -> Response:
        """Answers when the report is there."""
        name = request.path_params["name"]
        await self.desk.make_report(name, found(self.desk.workspace.result(name)))
        return JSONResponse({})

    def _do(self, request: Request, work: Callable[[str], None]) -> Response:
        work(request.path_params["name"])
        return JSONResponse({})
