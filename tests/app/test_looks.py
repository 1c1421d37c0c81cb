"""Every page in every state: readable in light and dark, on a desk and on a phone, with nothing said in the console."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.app.running import RunningApp
from tests.cli.tiny import search, write_song
from tests.report.test_page_in_browser import CONTRASTS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PAGES = {
    "/": ".card",
    "/songs/tiny": ".track",
    "/songs/broken": ".wrong",
    "/results/by-hand": ".chart .smooth",
    "/results/stopped": "#resume:enabled",
    "/results/broken": ".panel",
    "/results/nowhere": ".lone",
}
# What can be pressed or filled in, but has no name for those who cannot see it.
UNNAMED = """[...document.querySelectorAll('input:not([hidden]), select, button, a, textarea')]
  .filter((e) => !(e.labels?.length || e.getAttribute('aria-label') || e.textContent.trim()))
  .map((e) => e.outerHTML)"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """A workspace with a song and a result of every kind."""
    root = tmp_path_factory.mktemp("looks") / "workspace"
    search(write_song(root / "songs" / "tiny"), root / "results" / "by-hand")
    (root / "songs" / "broken" / "tracks").mkdir(parents=True)
    for name in ("broken", "left.partial"):
        (root / "results" / name).mkdir()
    with RunningApp(root) as running:
        running.ask("POST", "/api/songs/tiny/search", {})
        running.end()
    records = root / ".mixgraph" / "searches"
    record = json.loads((records / "tiny.json").read_text())
    for name, changes in {"stopped": {}, "failed": {"status": "failed", "error": "the disk is full"}}.items():
        (records / f"{name}.json").write_text(json.dumps(record | {"name": name} | changes))
    (records / "unreadable.json").write_text("{")
    with RunningApp(root) as running:
        yield running


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_everything_can_be_read(app: RunningApp, browser: Browser, scheme: Any, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page, said = context.new_page(), list[str]()
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.goto(app.url)
    for path, shown in PAGES.items():
        page.goto(app.home + path)
        page.wait_for_selector(shown)
        page.evaluate("document.querySelectorAll('details').forEach((element) => { element.open = true })")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        found = page.evaluate(CONTRASTS)
        assert len(found) > 3 and [text for text in found if text[0] < 4.5] == [], path
        assert page.evaluate(UNNAMED) == [], path
    context.close()
    assert [text for text in said if "status of 404" not in text] == []


def test_what_lies_in_the_workspace_is_told(app: RunningApp) -> None:
    home = app.ask("GET", "/").body.decode()
    for said in (
        "unreadable.json: cannot be read as a search of this page",
        "results/broken/metrics.json: missing",
        "Begun on the command line",
        "the disk is full",
        "Can go on where it stopped.",
        "<b>",
    ):
        assert said in home, said
    assert "no mix" in app.ask("GET", "/songs/broken").body.decode()
    assert app.ask("POST", "/api/songs/broken/search", {}).status == 400
    assert app.ask("POST", "/api/results/broken/report").status == 400
    assert app.ask("GET", "/results/by-hand/report").status == 200
