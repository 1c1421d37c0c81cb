"""Pictures of graphs: every node is there, in every format, and the same result gives the same bytes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from matplotlib.figure import Figure
from PIL import Image

from mixgraph.cli import main
from mixgraph.console import build_console
from mixgraph.draw.graph import draw_graph, graph_figure, lay_out_to_scale, letter_of
from mixgraph.draw.save import save_figure
from mixgraph.errors import ConfigError
from mixgraph.graph.graph import Graph
from mixgraph.result.result import Result
from tests.cli.tiny import search, write_song
from tests.strategies import random_graphs

SIGNATURES = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A tiny result."""
    place = tmp_path_factory.mktemp("draw")
    search(write_song(place / "song"), place / "result")
    return place / "result"


def texts(file: Path) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", file.read_text())


@pytest.mark.parametrize("form", SIGNATURES)
def test_the_command_writes_each_format(folder, tmp_path, form, capsys):
    file = tmp_path / f"graph.{form}"
    assert main(["draw", str(folder), "-o", str(file)]) == 0
    assert file.read_bytes().startswith(SIGNATURES[form])
    assert capsys.readouterr().out.strip() == str(file)


@pytest.mark.parametrize("pruned", [False, True])
def test_the_picture_names_every_track_and_letters_every_processor(folder, tmp_path, pruned):
    result = Result.load(folder)
    save_figure(graph_figure(result, show_pruned=pruned), tmp_path / "graph.svg")
    found = texts(tmp_path / "graph.svg")
    for track in result.tracks:
        assert track in found
    shown = result.console if pruned else result.graph
    assert sorted(text for text in found if len(text) == 1) == sorted(letter_of(n.type) for n in shown.processors)
    assert ("pruned" in found) == (pruned and len(result.graph.processors) < len(shown.processors))


def test_colour_stands_for_the_type(folder, tmp_path):
    save_figure(graph_figure(Result.load(folder), show_pruned=True), tmp_path / "graph.png")
    with Image.open(tmp_path / "graph.png") as image:
        colors = {color for _, color in image.convert("RGB").getcolors(1 << 24) or ()}
    assert (0xD1, 0xD5, 0xDB) in colors, "nothing is grey, and processors were pruned"


@settings(max_examples=20)
@given(random_graphs())
def test_any_graph_can_be_drawn(graph: Graph):
    ax = Figure().subplots()
    draw_graph(ax, graph)
    letters = [text.get_text() for text in ax.texts]
    assert len(letters) == len(graph.nodes)


def test_dots_of_subgroups_stand_below_each_other():
    console = build_console(["a", "b", "c"], {"x": ["a"], "a long name": ["b"], "other": ["c"]}, ("equalizer",))
    layout = lay_out_to_scale(console)
    places = {round(layout.boxes[id].x, 6) for id in console.ids_of("mix")}
    assert len(console.ids_of("mix")) == 3 and len(places) == 1


def test_the_same_result_gives_the_same_bytes(folder, tmp_path):
    for name in ("a.svg", "b.svg", "a.pdf", "b.pdf"):
        save_figure(graph_figure(Result.load(folder)), tmp_path / name)
    for form in ("svg", "pdf"):
        assert (tmp_path / f"a.{form}").read_bytes() == (tmp_path / f"b.{form}").read_bytes()


def test_another_format_is_refused_before_anything_is_read(tmp_path, capsys):
    assert main(["draw", str(tmp_path / "nothing"), "-o", str(tmp_path / "graph.gif")]) == 2
    assert "use .svg, .png, .pdf" in capsys.readouterr().err
    with pytest.raises(ConfigError):
        save_figure(Figure(), tmp_path / "graph")
    assert not list(tmp_path.iterdir())
