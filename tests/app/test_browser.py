"""The whole way of a song through the page, in a real browser: from the files that are chosen to the report."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, expect

from mixgraph.demo import make_demo_song
from tests.app.running import RunningApp, lasting
from tests.cli.tiny import write_song, write_wav
from tests.engine import RATE

Start = Callable[[], RunningApp]
expect.set_options(timeout=120_000)  # a busy machine may take long to start a search
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page whose console must stay empty, and that asks nothing but the server."""
    said: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(120_000)

    def hear(message: ConsoleMessage) -> None:
        # What is refused with a reason, and a server that is gone, are shown on the page; browsers note it as well.
        expected = "status of 400" in message.text or "net::ERR_" in message.text
        if message.type in ("error", "warning") and not expected:
            said.append(f"{message.location}: {message.text}")

    page.on("console", hear)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url) if "//127.0.0.1:" not in request.url else None)
    yield page
    context.close()
    assert said == []


def real_song(folder: Path) -> Path:
    """The six seconds of the demo song."""
    song = make_demo_song(RATE).song
    (folder / "tracks").mkdir(parents=True)
    for name in song.tracks:
        write_wav(folder / "tracks" / f"{name}.wav", song.track(name).T)
    write_wav(folder / "mix.wav", song.mix().T)
    return folder


def test_the_whole_way(start: Start, page: Page, tmp_path: Path) -> None:
    app = start()
    source = real_song(tmp_path / "My song")
    for name in ("notes.txt", "tracks/broken.wav"):
        (source / name).write_text("no audio")

    page.goto(app.url)
    assert "token" not in page.url
    expect(page.get_by_text("No songs yet.")).to_be_visible()
    expect(page.get_by_text("No results yet.")).to_be_visible()
    page.locator("#folder").set_input_files(source)
    expect(page.locator("#title")).to_have_value("My song")
    expect(page.get_by_text("1 file of other kinds left out.")).to_be_visible()
    expect(page.get_by_label("What mix.wav is")).to_have_value("mix")
    page.get_by_label("What mix.wav is").select_option("track")
    page.get_by_role("button", name="Add song").click()
    expect(page.get_by_role("alert")).to_contain_text("Which file is the mix?")
    page.get_by_label("What mix.wav is").select_option("mix")
    page.get_by_role("button", name="Add song").click()
    expect(page.locator(".problem")).to_contain_text("broken.wav: cannot be read as audio")
    assert app.ask("GET", "/songs/My-song").status == 404
    page.get_by_label("What broken.wav is").select_option("Leave out")
    page.get_by_role("button", name="Add song").click()

    page.wait_for_url("**/songs/My-song")
    groups = page.get_by_label("Name of the subgroup")
    expect(groups).to_have_count(3)
    assert [groups.nth(number).input_value() for number in range(3)] == ["bass", "drums", "vocals"]
    page.locator(".track .name", has_text="bass").drag_to(page.locator(".group").nth(1))
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    page.get_by_label("Subgroup of vocals").select_option("On their own")
    groups.nth(1).fill("band")
    groups.nth(1).press("Tab")
    page.get_by_label("Dissolve the subgroup bass").click()
    page.get_by_label("Dissolve the subgroup vocals").click()
    expect(page.locator("#saved")).to_have_text("Saved")
    page.reload()
    expect(groups).to_have_count(1)
    expect(groups).to_have_value("band")
    expect(page.locator(".group").first.locator(".track")).to_have_count(2)
    written = tomllib.loads((app.workspace / "songs" / "My-song" / "song.toml").read_text())
    assert written["subgroups"] == {"band": ["drums", "bass"]}

    expect(page.locator("[data-span=standard]")).to_contain_text(re.compile(r"\d"))
    page.get_by_text("Advanced").click()
    page.locator("#more").fill("[fit]\nconsole_stops = 1")
    page.locator("#more").press("Tab")
    expect(page.get_by_role("alert").last).to_contain_text("unknown key 'fit.console_stops'")
    page.locator("#more").fill(lasting(100))
    page.locator("#more").press("Tab")
    expect(page.locator("#start-wrong")).to_be_hidden()
    page.get_by_role("button", name="Start").click()

    page.wait_for_url("**/results/My-song")
    expect(page.locator("#stage")).to_contain_text("Fitting the console · step")
    (worker,) = app.workers()
    worker.suspend()  # so that it is still there, however fast the machine
    expect(page.locator("#loss")).to_have_text(re.compile(r"\d\.\d{3}"))
    expect(page.locator("#left")).to_have_text(re.compile(r"\d+:\d\d"))
    expect(page.locator(".dot:not(.gone)")).to_have_count(28)  # four each: four tracks, the band, and the two alone
    page.reload()
    expect(page.locator("#stage")).to_contain_text("Fitting the console · step")
    expect(page.locator(".chart .smooth").first).to_have_attribute("d", re.compile("L"))
    page.get_by_role("button", name="Stop").click()
    worker.resume()
    expect(page.locator("h1 .badge")).to_have_text("Stopped")
    assert app.workers() == [] and app.status("My-song") == "stopped"
    expect(page.locator(".chart .smooth").first).to_have_attribute("d", re.compile("L"))
    page.get_by_role("link", name="Results").click()
    expect(page.locator(".card")).to_contain_text("Can go on where it stopped.")
    page.locator(".card-title").click()
    page.get_by_role("button", name="Go on").click()

    expect(page.locator("h1 .badge")).to_have_text("Finished")
    expect(page.locator(".dot")).to_have_count(28)
    kept = page.locator(".dot:not(.gone)").count()
    assert kept < 28
    expect(page.locator(".tiles dd").first).to_have_text(f"{kept} of 28")
    expect(page.locator(".caption output").last).to_have_text(str(kept))
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the rebuilt mix").click()
    assert download.value.path().read_bytes()[:4] == b"fLaC"

    page.get_by_role("link", name="Open the report").click()
    expect(page).to_have_title(re.compile("My song.*mixing graph"))
    assert page.evaluate("self.origin") == "null", "a report runs in a sandbox"
    page.goto(app.home)
    expect(page.locator(".card")).to_contain_text(f"{kept} of 28 processors")


def test_names_are_never_code(start: Start, page: Page) -> None:
    app = start()
    song = write_song(app.workspace / "songs" / f"{EVIL} song")
    (song / "song.toml").unlink()
    (song / "tracks" / "bass.wav").rename(song / "tracks" / f"{EVIL}.wav")
    dialogs: list[Dialog] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog))
    page.goto(app.url)
    page.get_by_role("link", name=f"{EVIL} song").click()
    expect(page.locator("#title")).to_have_value(f"{EVIL} song")
    expect(page.locator(".track .name", has_text=EVIL)).to_be_visible()
    page.get_by_role("button", name="New subgroup").click()
    page.keyboard.type("</script><b>")
    page.keyboard.press("Tab")
    expect(page.locator("#groups-wrong")).to_contain_text("has the sign")
    page.get_by_label("Name of the subgroup").last.fill("fine & 'quoted'")
    page.keyboard.press("Tab")
    expect(page.locator("#saved")).to_have_text("Saved")
    page.get_by_label(f"Subgroup of {EVIL}").select_option("fine & 'quoted'")
    page.get_by_text("Advanced").click()
    page.locator("#more").fill(lasting(6).replace("segment_seconds = 1.0", "segment_seconds = 60.0"))
    page.get_by_role("button", name="Start").click()
    expect(page.locator("h1 .badge")).to_have_text("Failed")
    expect(page.locator(".panel.wrong")).to_contain_text(f"{EVIL} song: lasts 8.00 s, shorter than one segment")
    expect(page.get_by_role("row", name=EVIL).first).to_be_visible()
    page.goto(app.home)
    expect(page.locator(".card-title")).to_have_text(f"{EVIL} song")
    assert page.locator("img").count() == 0 and dialogs == []


def test_the_keyboard_alone_and_a_server_that_goes(start: Start, page: Page) -> None:
    app = start()
    write_song(app.workspace / "songs" / "tiny")
    page.goto(app.url)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    for name in ("mixgraph", "Choose a folder", "Choose files", "tiny"):
        page.keyboard.press("Tab")
        expect(page.get_by_text(name, exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/songs/tiny")
    page.get_by_label("Subgroup of voice").focus()
    page.keyboard.press("b")  # the first subgroup that begins so
    expect(page.locator(".group").first.locator(".track")).to_have_count(3)
    expect(page.get_by_label("Subgroup of voice")).to_be_focused()
    page.goto(app.home)
    app.end()
    expect(page.locator("#notice")).to_contain_text("does not answer")
