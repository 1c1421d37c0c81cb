"""`mixgraph app` in a process of its own, and requests to it without a browser."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

import psutil

from tests.cli.tiny import SETTINGS

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{os.environ.get('PYTHONPATH', '')}", "OMP_NUM_THREADS": "1"}


def lasting(steps: int) -> str:
    """The tiny settings, with so many steps of the console: a hundred last some two seconds."""
    return SETTINGS.replace("console_steps = 6", f"console_steps = {steps}")


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class RunningApp:
    """A server, from its first word to its end."""

    def __init__(self, workspace: Path, *options: str) -> None:
        self.workspace = workspace
        command = [sys.executable, "-m", "mixgraph", "app", "--no-browser", "--workspace", str(workspace), *options]
        began = time.perf_counter()
        self.process = subprocess.Popen(
            [*command, "--port", "0"], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout and self.process.stderr
        said = self.process.stdout.readline()
        self.seconds_to_start = time.perf_counter() - began
        found = re.search(r"http://127\.0\.0\.1:(\d+)/\?token=(\S+)", said)
        if not found:
            _, errors = self.process.communicate()
            raise AssertionError(said + errors)
        self.url, self.port, self.token = found[0], int(found[1]), found[2]
        self.home = f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: Any = None, **changed: str) -> Answer:
        """A request as the page would send it; `changed` headers replace its own, and empty ones are left out."""
        own = {"Host": f"127.0.0.1:{self.port}", "Cookie": f"mixgraph-{self.port}={self.token}", "Origin": self.home}
        own |= changed
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        for name, value in own.items():
            if value:
                connection.putheader(name, value)
        if method not in ("GET", "HEAD"):
            connection.putheader("Content-Length", str(len(data)))
        connection.endheaders(data)
        response = connection.getresponse()
        answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        connection.close()
        return answer

    def status(self, result: str) -> str:
        """Where a search stands, as its record on the disk says."""
        return json.loads((self.workspace / ".mixgraph" / "searches" / f"{result}.json").read_text())["status"]

    def workers(self) -> list[psutil.Process]:
        """The processes that search."""
        return [each for each in psutil.Process(self.process.pid).children() if "mixgraph.app.worker" in each.cmdline()]

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Sends a signal and waits; returns the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        left = self.workers() if self.process.poll() is None else []
        self.process.kill()
        for each in left:
            each.kill()
        self.process.communicate()


def until(holds: Callable[[], Any], seconds: float = 120.0) -> Any:
    """Waits until something holds, and returns it."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
    return found
