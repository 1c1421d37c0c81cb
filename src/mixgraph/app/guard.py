"""Who may talk to the server: the browser that was given the token, from the server's own pages, and nobody else.

Other pages in the same browser can send requests to loopback addresses too. So beside the token (once in the address,
then in a cookie that scripts and other sites never see) the `Host` must be ours, which stops names that are made to
point here (DNS rebinding), and whatever changes something must come from our own `Origin`.
"""

from __future__ import annotations

import secrets
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mixgraph.app.templates import page

CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self';"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
SAFE_METHODS: Final = ("GET", "HEAD")
WITHOUT_TOKEN: Final = "/static/"


class Guard:
    """Wraps an application; answers 403 to everything that does not belong."""

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self.app, self.token = app, token
        self.hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
        self.origins = {f"http://{host}" for host in self.hosts}
        # Cookies are shared by all ports of a host, and two workspaces may be open.
        self.cookie = f"mixgraph-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a request through, or answers it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        answer = self._answer(Request(scope)) or self.app
        await answer(scope, receive, send_with_headers)

    def _answer(self, request: Request) -> Response | None:
        """A refusal, or the way in; None for who is in."""
        if request.headers.get("host") not in self.hosts:
            return _refusal("This server answers to its own address only.")
        if request.method not in SAFE_METHODS and request.headers.get("origin") not in self.origins:
            return _refusal("This request came from another page.")
        if request.method in SAFE_METHODS and request.url.path.startswith(WITHOUT_TOKEN):
            return None
        if secrets.compare_digest(request.cookies.get(self.cookie, "").encode(), self.token.encode()):
            return None
        given = request.query_params.get("token", "")
        if request.url.path == "/" and secrets.compare_digest(given.encode(), self.token.encode()):
            welcome = RedirectResponse("/", status_code=303)
            welcome.set_cookie(self.cookie, self.token, httponly=True, samesite="strict")
            return welcome
        return _refusal("Open the address that “mixgraph app” printed when it was started: it holds the key.")


def _refusal(why: str) -> Response:
    return page("error.html", 403, title="Not with this address", message=why)
