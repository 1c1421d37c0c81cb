"""The page as a file: one, closed to the network, escaped, the same each time, within its limit."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mixgraph.audio.song import Song
from mixgraph.dsp.units import number
from mixgraph.errors import OutputError, ResultError
from mixgraph.graph.graph import Graph
from mixgraph.graph.node import IN, OUT, Node
from mixgraph.report import write_report
from mixgraph.report.charts import linear_axis
from mixgraph.report.graph_view import draw_console, draw_result
from mixgraph.report.live import live_graph
from mixgraph.report.sounds import mixes_of
from mixgraph.report.soundtrack import make_soundtrack
from mixgraph.report.spectrogram import ERROR_COLORS, LEVEL_COLORS, palette
from mixgraph.result.result import Result
from tests.report.sample import make_page, make_result, make_song


class Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def text(report: Path) -> str:
    return report.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def tags(text: str) -> Tags:
    return Tags(text)


def test_the_policy_admits_this_script_and_this_style_only(text: str, tags: Tags) -> None:
    policies = [attributes["content"] for _, attributes in tags.tags if "http-equiv" in attributes]
    policy = policies[0] or ""
    assert "default-src 'none'" in policy and "connect-src 'none'" in policy and "unsafe" not in policy
    own = re.findall(r"<(?:script|style)>(.*?)</(?:script|style)>", text, flags=re.DOTALL)
    digests = {base64.b64encode(hashlib.sha256(content.encode()).digest()).decode() for content in own}
    assert digests == set(re.findall(r"'sha256-([^']+)'", policy)) and len(own) == 2


def test_nothing_is_loaded_and_nothing_is_inline(tags: Tags) -> None:
    for tag, attributes in tags.tags:
        assert not any(name.startswith("on") or name == "style" for name in attributes), (tag, attributes)
        for name in ("src", "href", "action"):
            assert (attributes.get(name) or "#").startswith(("data:", "#")), (tag, attributes)


def test_equal_inputs_give_equal_bytes(song: Song, result: Result, report: Path, tmp_path: Path) -> None:
    assert make_page(tmp_path, song, result=result).read_bytes() == report.read_bytes()


def test_headings_tell_song_loss_and_processors(text: str, result: Result) -> None:
    plain = re.sub(r"<[^>]+>", "", text[text.index("<h1>") : text.index("</header>")])
    loss = result.metrics["loss"]
    assert "sample" in plain and f"{len(result.graph.processors)} of 35" in plain
    assert f"{loss['plain_sum']['target']:.3f} → {loss['pruned']['target']:.3f}" in plain


def test_names_are_escaped(tmp_path: Path) -> None:
    evil = "<img src=x onerror=alert(1)>"
    text = make_page(tmp_path, make_song([evil], seconds=2, name=evil)).read_text(encoding="utf-8")
    tags = Tags(text)
    assert not any(tag == "img" and attributes.get("src") == "x" for tag, attributes in tags.tags)
    data = text.partition('id="page-data">')[2].partition("</script>")[0]
    assert "<" not in data and evil in json.dumps(json.loads(data))


def test_the_limit_is_kept_and_said(song: Song, result: Result, tmp_path: Path) -> None:
    path = make_page(tmp_path, song, result=result, size_limit_mb=0.9)
    assert path.stat().st_size <= 0.9e6 and "would not fit" in path.read_text(encoding="utf-8")


def test_less_room_is_less_fidelity_first_and_then_no_tracks(result: Result) -> None:
    song = make_song(subgroups={"band": ("bass", "drums")}, seconds=3)
    sounds, rooms = mixes_of(song, result.render(song)), (5e5, 2.2e5, 1.2e5, 8e4)
    made = [make_soundtrack(song, sounds, room, with_tracks=True) for room in rooms]
    assert all(soundtrack.size <= room for soundtrack, room in zip(made, rooms, strict=True))
    assert [bool(soundtrack.tracks) for soundtrack in made] == [True, True, False, False]
    assert made[0].mix_kbps > made[1].mix_kbps and made[2].mix_kbps > made[3].mix_kbps
    with pytest.raises(OutputError, match="--size-limit"):
        make_soundtrack(song, sounds, 2e4, with_tracks=True)


@pytest.mark.slow
def test_four_minutes_of_sixteen_tracks_fit(tmp_path: Path) -> None:
    names = [f"track {index}" for index in range(16)]
    song = make_song(names, subgroups={"all": tuple(names[:8])}, seconds=240)
    path = make_page(tmp_path, song, result=make_result(song))
    assert path.stat().st_size <= 25e6
    assert "data-mute" in path.read_text(encoding="utf-8")


def test_a_song_of_another_result_is_refused(result: Result, tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="voice"):
        write_report(result, make_song(["bass", "drums"], seconds=2), tmp_path / "a.html")


def test_the_console_shows_what_was_pruned(result: Result) -> None:
    console, drawing, kept = result.console, draw_console(result), draw_result(result)
    assert drawing is not None
    assert len(drawing.shapes) == len(console.nodes) and all(shape.kept for shape in kept.shapes)
    pruned = {shape.id for shape in drawing.shapes if not shape.kept}
    assert pruned == {node.id for node in console.processors} - {node.id for node in result.graph.processors}
    assert drawing.width > kept.width


def test_a_graph_that_no_console_has_is_shown_alone() -> None:
    song = make_song(["a"], seconds=2)
    graph = Graph((Node("x", IN, "a"), Node("y", "reverb"), Node("z", OUT)), (("x", "y"), ("x", "z"), ("y", "z")))
    result = make_result(song, graph)
    assert result.console == graph and draw_console(result) is None
    assert len(draw_result(result).shapes) == 3


def test_a_graph_without_processors_makes_a_page(tmp_path: Path) -> None:
    song = make_song(["a", "b"], seconds=2)
    result = make_result(song)
    bare = make_result(song, result.graph.without([node.id for node in result.graph.processors]))
    text = make_page(tmp_path, song, result=bare).read_text(encoding="utf-8")
    assert "No processor of 28" in text and text.count(">nothing</td>") == 2


def test_a_console_with_nothing_pruned_is_shown_once(result: Result) -> None:
    song = make_song(subgroups={"band": ("bass", "drums")}, seconds=2)
    assert draw_console(make_result(song, result.console)) is None


def test_the_live_graph_carries_every_node_and_whole_responses(result: Result) -> None:
    live = live_graph(result)
    assert live is not None and [node["id"] for node in live.nodes] == [node.id for node in result.graph.order]
    for node in live.nodes:
        if node["kind"] != "response":
            continue
        taps, rate = soundfile.read(io.BytesIO(live.impulses[node["impulse"]]), always_2d=True)
        kind = result.graph.node(node["id"]).type
        wanted = result.processors[kind].impulse_response(result.bank.select(kind, [node["id"]])).taps[0].numpy()  # type: ignore[attr-defined]
        found = node["scale"] * taps.T[:, : wanted.shape[1]]
        assert rate == result.config.audio.sample_rate
        assert (
            np.abs(found - wanted[:, : found.shape[1]]).max()
            < 1e-5 * np.abs(wanted).max() + 1e-4 * np.abs(wanted).max()
        )
        assert np.square(wanted[:, found.shape[1] :]).sum() <= 1e-7 * np.square(wanted).sum()


def test_a_history_is_drawn(text: str) -> None:
    assert 'id="search"' in text and "30 training steps" in text


def test_metrics_without_channels_still_make_a_page(tmp_path: Path) -> None:
    song, bare = make_song(["a"], seconds=2), {"target": 0.5, "published": 0.5}
    loss = dict.fromkeys(("plain_sum", "console", "pruned"), bare)
    counts = {when: {"total": 3} for when in ("initial", "kept")}
    sparse = {"loss": loss, "processors": counts, "pruning_ratio": {"total": 0.0}}
    text = make_page(tmp_path, song, result=replace(make_result(song), metrics=sparse)).read_text(encoding="utf-8")
    table = text[text.index('<table class="numbers">') :].partition("</table>")[0]
    assert table.count("<td>0.500</td>") == 3 and table.count("<td>–</td>") == 9


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.63), (-17.2, 3.0), (0.0, 1_234.0), (0.5, 0.5), (-0.001, 0.002)])
def test_axes_hold_what_they_show(low: float, high: float) -> None:
    axis = linear_axis("", low, high)
    assert axis.low <= low and axis.high >= high
    values = [float(text.replace("−", "-")) for _, text in axis.ticks]
    assert 2 <= len(values) <= 9 and values == pytest.approx([value for value, _ in axis.ticks], abs=1e-12)


def test_numbers_have_a_true_minus_and_no_negative_zero() -> None:
    assert number(-3.25) == "−3.2" and number(-0.04, sign=True) == "0.0" and number(2, 0, sign=True) == "+2"


@pytest.mark.parametrize("anchors", [LEVEL_COLORS, ERROR_COLORS])
def test_colours_are_even_steps(anchors: tuple[str, ...]) -> None:
    steps = np.linalg.norm(np.diff(palette(anchors), axis=0), axis=1)
    assert steps.min() > 0
    assert palette(LEVEL_COLORS).mean(1)[-1] > palette(LEVEL_COLORS).mean(1)[0]
