"""The server: one workspace on one loopback port, until Ctrl-C."""

from __future__ import annotations

import asyncio
import secrets
import signal
import socket
import webbrowser
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Lifespan

from mixgraph.app.api import Api
from mixgraph.app.desk import Desk
from mixgraph.app.guard import Guard
from mixgraph.app.pages import Pages
from mixgraph.app.templates import page
from mixgraph.app.workspace import Workspace
from mixgraph.errors import ConfigError, MixgraphError

LOOPBACK: Final = "127.0.0.1"
USUAL_PORT: Final = 7717
REASONS: Final = {404: "There is nothing here", 405: "This cannot be done here"}


def serve(
    folder: Path, *, port: int | None = None, browser: bool = True, ready: Callable[[str], None] = lambda url: None
) -> None:
    """Serves a workspace until Ctrl-C or `kill`, then stops its search with a checkpoint.

    `ready` is called with the address, which holds the key, as soon as it can be opened. Without a `port` it is 7717,
    or any that is free where that is taken. Raises `OutputError` for the folder and `ConfigError` for the port.
    """
    with Workspace(folder) as workspace, _listen(port) as listener:
        number, token = int(listener.getsockname()[1]), secrets.token_urlsafe(32)
        address = f"http://{LOOPBACK}:{number}/?token={token}"
        desk = Desk(workspace, lambda: server.should_exit)

        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            work = asyncio.create_task(desk.searches.work())
            ready(address)
            if browser:  # which may take seconds to start
                asyncio.get_running_loop().run_in_executor(None, webbrowser.open, address)
            yield
            await desk.searches.close()
            await work

        app = Guard(application(desk, lifespan), token, number)
        config = uvicorn.Config(app, lifespan="on", log_config=None, access_log=False, server_header=False, ws="none")
        server = uvicorn.Server(config)
        # The server takes either signal as the wish to end, ends, and then raises it again.
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            with suppress(KeyboardInterrupt):
                server.run(sockets=[listener])
        finally:
            signal.signal(signal.SIGTERM, before)


def application(desk: Desk, lifespan: Lifespan[Starlette]) -> Starlette:
    """The routes of all pages and of all that they ask for."""
    static = StaticFiles(packages=[("mixgraph.app", "static")])
    routes = [*Pages(desk).routes, *Api(desk).routes, Mount("/static", static)]

    async def say(request: Request, error: Exception) -> Response:
        status, message = 400, desk.workspace.told(error)
        if isinstance(error, HTTPException):
            status, message = error.status_code, REASONS.get(error.status_code, error.detail)
        if request.url.path.startswith("/api/"):
            return JSONResponse({"error": message}, status)
        return page("error.html", status, title=message, message="It may have been removed or renamed.")

    return Starlette(routes=routes, exception_handlers={MixgraphError: say, HTTPException: say}, lifespan=lifespan)


def _listen(port: int | None) -> socket.socket:
    for number in (USUAL_PORT, 0) if port is None else (port,):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, number))
            listener.listen()
            return listener
        except (OSError, OverflowError) as error:
            listener.close()
            reason = error
    raise ConfigError(f"--port {port}: cannot be used ({reason}); choose another, or leave it out") from None
