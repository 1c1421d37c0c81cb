"""One browser, and one page with everything on it, for all tests of a module."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mixgraph.audio.song import Song
from mixgraph.result.result import Result
from tests.report.sample import SUBGROUPS, make_page, make_result, make_song

if TYPE_CHECKING:
    from playwright.sync_api import Browser

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def song() -> Song:
    """Three tracks, two of them in a subgroup; longer than one piece of encoded sound."""
    return make_song(subgroups=SUBGROUPS)


@pytest.fixture(scope="session")
def result(song: Song) -> Result:
    """A graph with every type of processor."""
    return make_result(song)


@pytest.fixture(scope="session")
def report(song: Song, result: Result, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of both."""
    return make_page(tmp_path_factory.mktemp("report"), song, result=result)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium, the machine's own."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"needs a browser on the PATH: {', '.join(BROWSERS)}")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required"]
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=flags)
        yield browser
        browser.close()
