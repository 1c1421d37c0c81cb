"""The page in a real browser: nothing fails, nothing is fetched, all of it can be reached and read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mixgraph.graph.graph import Graph
from mixgraph.graph.node import Node
from tests.report.sample import make_page, make_result, make_song

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
EVIL = "<img src=x onerror=\"document.title='broken'\">"
# Every text that is seen, with the contrast of its colour to what lies behind it (WCAG 2.2, 1.4.3).
CONTRASTS = """() => {
  const channels = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const linear = (c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const over = (top, below) => {
    const a = top[3] ?? 1;
    return [0, 1, 2].map((k) => top[k] * a + below[k] * (1 - a));
  };
  const behind = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      const box = at.matches?.(".node") ? at.querySelector("rect") : null;
      if (box && getComputedStyle(box).fill !== "none") layers.push(channels(getComputedStyle(box).fill));
      layers.push(channels(style.backgroundColor));
    }
    return layers.reverse().reduce((below, layer) => (layer.length < 3 ? below : over(layer, below)), [255, 255, 255]);
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.data.trim();
    const element = walker.currentNode.parentElement;
    if (!text || element.closest("script, style, title, .hidden, .skip") || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const color = element.ownerSVGElement ? style.fill : style.color;
    const below = behind(element);
    const [one, other] = [luminance(over(channels(color), below)), luminance(below)];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    found.push([ratio, text.slice(0, 40), element.className.baseVal ?? element.className]);
  }
  return found.sort((a, b) => a[0] - b[0]);
}"""


@contextmanager
def opened(browser: Browser, path: Path, **options: Any) -> Iterator[tuple[Page, list[str]]]:
    """A page, and the list of what went wrong on it so far."""
    faults: list[str] = []
    settings: Any = {"viewport": WIDE} | options
    page = browser.new_page(**settings)
    page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: faults.append(request.url) if not local(request.url, path) else None)
    page.goto(path.as_uri())
    yield page, faults
    page.close()


def local(url: str, path: Path) -> bool:
    return url.startswith("data:") or url.split("#")[0] == path.as_uri()


def test_it_renders_without_errors_and_without_a_network(browser: Browser, report: Path) -> None:
    with opened(browser, report) as (page, faults):
        assert page.inner_text("h1") == "sample"
        page.evaluate("mixgraph.player.select('yours')")
        page.click("#play")
        page.wait_for_function("() => mixgraph.player.now > 0.2")
        page.click("#play")
        assert not page.evaluate("mixgraph.player.playing")
        page.click("#theme")
        page.check("#show-pruned")
        assert faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_all_text_has_contrast(browser: Browser, report: Path, scheme: str, width: int) -> None:
    size = {"width": width, "height": 900}
    with opened(browser, report, viewport=size, color_scheme=scheme) as (page, _):
        page.evaluate("document.querySelectorAll('details').forEach((element) => { element.open = true; })")
        for prepare in (
            "document.querySelector('.recipe [data-show]').click()",
            "document.getElementById('show-pruned').click()",
            "['muted', 'soloed'].forEach((kind) => mixgraph.player.toggle(kind, 'track:bass'))",
            "mixgraph.player.toggle('bypassed', 'track:bass/equalizer')",
        ):
            page.evaluate(prepare)
            found = page.evaluate(CONTRASTS)
            assert len(found) > 100
            assert [text for text in found if text[0] < 4.5] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_follows_the_system_and_can_be_turned(browser: Browser, report: Path, scheme: str) -> None:
    with opened(browser, report, color_scheme=scheme) as (page, _):
        ground = "getComputedStyle(document.body).backgroundColor"
        before = page.evaluate(ground)
        assert (max(map(int, before[4:-1].split(", "))) < 128) == (scheme == "dark")
        page.click("#theme")
        assert (max(map(int, page.evaluate(ground)[4:-1].split(", "))) < 128) == (scheme == "light")


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_nothing_sticks_out(browser: Browser, report: Path, size: dict[str, int]) -> None:
    with opened(browser, report, viewport=size) as (page, _):
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def test_it_can_be_used_with_the_keyboard_alone(browser: Browser, report: Path) -> None:
    with opened(browser, report) as (page, faults):
        page.keyboard.press("3")
        assert page.is_checked("input[value=plain_sum]")
        focus = "document.activeElement?.closest?.('.node')?.dataset.node ?? null"
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate(focus):
                break
        assert page.evaluate(focus) == "track:bass"
        page.keyboard.press("ArrowRight")
        assert page.evaluate(focus) == "track:bass/equalizer"
        assert page.is_visible(".detail[data-detail='track:bass/equalizer']")
        page.keyboard.press("b")
        bypass = ".recipe [data-bypass='track:bass/equalizer']"
        assert page.get_attribute(bypass, "aria-pressed") == "true"
        assert page.is_checked("input[value=yours]")
        page.keyboard.press("b")
        assert page.get_attribute(bypass, "aria-pressed") == "false"
        page.keyboard.press("ArrowDown")
        assert page.evaluate(focus).startswith("track:drums/")
        page.keyboard.press("Space")
        assert page.get_attribute("#play", "aria-label") == "Pause"
        page.focus("#wave")
        page.keyboard.press("End")
        page.wait_for_function("() => !mixgraph.player.playing")
        page.keyboard.press("ArrowRight")
        assert page.get_attribute("#wave", "aria-valuenow") == "5.0"
        assert faults == []


def test_shortcuts_can_be_turned_off(browser: Browser, report: Path) -> None:
    with opened(browser, report) as (page, _):
        page.evaluate("document.getElementById('shortcuts').click()")
        page.keyboard.press("3")
        assert page.is_checked("input[value=original]")


def test_pointing_at_a_node_shows_it_and_choosing_keeps_it(browser: Browser, report: Path) -> None:
    with opened(browser, report) as (page, _):
        node = "#graph-kept [data-node='track:voice/reverb']"
        page.hover(node)
        assert page.is_visible(".detail[data-detail='track:voice/reverb'] svg.plot")
        page.hover("h2 >> nth=0")
        assert page.is_visible(".hint")
        page.click(node)
        page.hover("h2 >> nth=0")
        assert page.is_visible(".detail[data-detail='track:voice/reverb']")


def test_a_tap_on_a_phone_shows_node_and_details_together(browser: Browser, report: Path) -> None:
    with opened(browser, report, viewport=PHONE, has_touch=True, reduced_motion="reduce") as (page, _):
        page.evaluate("document.getElementById('canvas').scrollIntoView({ block: 'end' })")
        node = page.locator("#graph-kept [data-node='track:voice/reverb']")
        node.tap()
        page.wait_for_timeout(200)
        place, sheet = node.bounding_box(), page.locator("#inspector").bounding_box()
        player = page.locator("#player").bounding_box()
        assert place and sheet and player
        assert player["height"] < place["y"] < place["y"] + place["height"] <= sheet["y"]
        assert sheet["y"] < PHONE["height"] * 0.7
        page.locator("#canvas").tap(position={"x": 3, "y": 3})
        assert page.is_visible(".hint")


def test_a_click_into_a_chart_over_time_goes_there(browser: Browser, report: Path) -> None:
    with opened(browser, report) as (page, _):
        box = page.locator("svg.seek >> nth=0").bounding_box()
        assert box
        page.locator("svg.seek >> nth=0").click(position={"x": box["width"] / 2, "y": box["height"] / 2})
        assert 5 < page.evaluate("mixgraph.player.now") < 7


def test_paper_has_no_buttons_and_all_charts(browser: Browser, report: Path) -> None:
    with opened(browser, report) as (page, _):
        page.emulate_media(media="print")
        assert not page.is_visible("#play") and not page.is_visible(".recipe .bypass >> nth=0")
        assert page.is_visible(".detail[data-detail='track:voice/reverb'] svg.plot")


def test_names_are_text_whatever_they_contain(browser: Browser, tmp_path: Path) -> None:
    names = [EVIL, 'he said "no"', "l'été / Ωmega 🥁", "</script><script>document.title='broken'</script>"]
    song = make_song(names, subgroups={EVIL: (names[0], names[1])}, seconds=2, name=EVIL)
    graph = make_result(song).graph
    path = make_page(tmp_path, song, result=make_result(song, with_effects(song.tracks, graph)))
    with opened(browser, path) as (page, faults):
        page.evaluate("mixgraph.player.select('yours')")
        page.click("#play")
        page.wait_for_function("() => mixgraph.player.now > 0.1")
        assert page.inner_text("h1") == EVIL
        for name in names:
            node = page.locator("#graph-kept .node").filter(has=page.locator("title", has_text=name)).first
            node.dispatch_event("click")
            button = page.locator(".inspector .mute").and_(page.get_by_label(f"Mute {name}", exact=True)).first
            button.click()
            assert button.get_attribute("aria-pressed") == "true"
        assert page.title() == f"{EVIL} · mixing graph"
        assert page.locator("img[src=x]").count() == 0
        assert faults == []


def with_effects(tracks: tuple[str, ...], graph: Graph) -> Graph:
    """A gain on every track: bare tracks have no processors to speak of."""
    nodes = [Node(f"track:{track}/gain_panning", "gain_panning") for track in tracks]
    edges = []
    for start, end in graph.edges:
        source = graph.node(start).source
        if source is None:
            edges.append((start, end))
        else:
            edges += [(start, f"{start}/gain_panning"), (f"{start}/gain_panning", end)]
    return Graph((*graph.nodes, *nodes), tuple(edges))


def test_a_result_without_history_and_mix_makes_a_smaller_page(browser: Browser, tmp_path: Path) -> None:
    song = make_song(["only"], seconds=2, has_mix=False)
    with opened(browser, make_page(tmp_path, song, history=())) as (page, faults):
        assert page.locator("#match, #search").count() == 0
        sources = "[...document.querySelectorAll('input[name=source]')].map((input) => input.value)"
        assert page.evaluate(sources) == ["estimate", "plain_sum", "yours"]
        page.click("#play")
        page.wait_for_function("() => mixgraph.player.now > 0.1")
        assert faults == []


def test_without_tracks_it_says_so(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, make_page(tmp_path, make_song(seconds=2), with_tracks=False)) as (page, faults):
        assert "nothing can be muted" in page.inner_text("#recipe")
        assert page.locator(".switch, input[value=yours]").count() == 0
        assert faults == []


def test_a_browser_without_sound_is_told_so(browser: Browser, report: Path) -> None:
    with opened(browser, report) as (page, faults):
        page.evaluate("() => { window.AudioContext = class { constructor() { throw new Error('no sound today'); } } }")
        page.click("#play")
        page.wait_for_function("() => document.getElementById('status').textContent.includes('no sound today')")
        assert page.get_attribute("#play", "aria-label") == "Play"
        page.keyboard.press("4")
        assert page.is_checked("input[value=residual]")
        assert faults == []
