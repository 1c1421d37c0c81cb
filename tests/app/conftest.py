"""The application as it runs for people: a process of its own, and a real browser that looks at it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.app.running import RunningApp

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    api = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
    if CHROMIUM is None:
        pytest.skip("needs Chromium, which is not installed (Debian: apt install chromium)")
    with api.sync_playwright() as playwright:
        # Containers seldom allow Chromium's own sandbox.
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], RunningApp]]:
    """Starts the application in one workspace; whatever a test leaves running is ended."""
    with ExitStack() as running:
        yield lambda: running.enter_context(RunningApp(tmp_path / "workspace"))
