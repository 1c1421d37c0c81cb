"""Consoles: sizes and wiring of section 2 and Table 1 of the paper (arXiv 2406.01049), names, refusals."""

from __future__ import annotations

import pytest
from hypothesis import given

from mixgraph.console import build_console
from mixgraph.errors import GraphError
from tests.strategies import CHAIN, random_consoles

LETTERS = dict(zip("ecnsgdr", CHAIN, strict=True))
TABLE_1 = ["", "g", "sg", "esg", "esgr", "ecsgr", "ecnsgr", "ecnsgdr"]
TRACKS = ["Kick", "Snare", "Bass", "Voice", "Choir"]
SUBGROUPS = {"Drums": ["Snare", "Kick"], "Voices": ["Voice", "Choir"]}


@pytest.mark.parametrize("letters", TABLE_1)
def test_sub_consoles_have_their_size_and_wiring(letters):
    chain = [LETTERS[letter] for letter in letters]
    graph = build_console(TRACKS, SUBGROUPS, chain)
    assert len(graph.processors) == len(chain) * (5 + 3)
    assert [node.source for node in graph.inputs] == TRACKS
    homes = {"Kick": "Drums", "Snare": "Drums", "Bass": "Bass", "Voice": "Voices", "Choir": "Voices"}
    for track, subgroup in homes.items():
        walk, here = [], f"track:{track}"
        while here != "out":
            walk.append(here)
            (here,) = graph.successors(here)
        names = (f"track:{track}", f"subgroup:{subgroup}")
        assert walk == [step for name in names for step in (name, *(f"{name}/{type}" for type in chain))]
        assert [graph.node(name).type for name in walk] == ["in", *chain, "mix", *chain]
    assert graph.predecessors("subgroup:Drums")[0].startswith("track:Snare")


def test_the_full_console_has_seven_processors_per_track_and_subgroup():
    tracks = [f"t{index}" for index in range(23)]
    graph = build_console(tracks, {"a": tracks[:9], "b": tracks[9:20]}, CHAIN)
    assert len(graph.processors) == 7 * (23 + 2 + 3)


@given(random_consoles())
def test_nodes_are_listed_in_topological_order(graph):
    assert graph.order == graph.nodes
    assert graph.output.id == "out"


def test_a_track_without_subgroup_gets_one_whose_name_is_free():
    graph = build_console(["Bass", "Bass 2", "Kick"], {"Bass": ["Kick"]}, [])
    assert graph.ids_of("mix") == ("subgroup:Bass", "subgroup:Bass 2", "subgroup:Bass 2 2")
    assert graph.predecessors("subgroup:Bass") == ("track:Kick",)
    assert graph.predecessors("subgroup:Bass 2") == ("track:Bass",)


def test_a_processor_may_occur_twice_in_the_chain():
    graph = build_console(["Bass"], {}, ["equalizer", "reverb", "equalizer"])
    assert [node.id for node in graph.nodes[1:4]] == [
        "track:Bass/equalizer",
        "track:Bass/reverb",
        "track:Bass/equalizer 2",
    ]


@pytest.mark.parametrize(
    ("tracks", "subgroups", "chain", "message"),
    [
        ([], {}, CHAIN, "at least one track"),
        (["Kick", "Bass", "Kick"], {}, CHAIN, "track 'Kick' is given 2 times"),
        (["Kick"], {"Drums": ["Kick", "Hat"]}, CHAIN, "subgroup 'Drums' names the unknown track 'Hat'"),
        (["Kick"], {"A": ["Kick"], "B": ["Kick"]}, CHAIN, "track 'Kick' is in subgroups 'A' and 'B'"),
        (["Kick"], {"A": ["Kick", "Kick"]}, CHAIN, "subgroup 'A' names the track 'Kick' twice"),
        (["Kick"], {"A": []}, CHAIN, "subgroup 'A' has no tracks"),
        (["Kick"], {}, ["mix"], "'mix' in the chain is not a processor"),
        (["Kick"], {}, [""], "'' in the chain is not a processor"),
        (["Kick", "Kick/reverb"], {}, ["reverb"], "two nodes are called 'track:Kick/reverb'"),
    ],
)
def test_refusals_name_the_track_or_subgroup(tracks, subgroups, chain, message):
    with pytest.raises(GraphError) as caught:
        build_console(tracks, subgroups, chain)
    assert message in str(caught.value)
