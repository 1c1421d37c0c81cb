"""Trials are the same to the last bit whatever was tried before, was kept or was dropped: searches resume alike."""

from __future__ import annotations

from collections.abc import Collection

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mixgraph.console import build_console
from mixgraph.fit.evaluate import evaluation_starts
from mixgraph.fit.trials import Trials
from mixgraph.processors.bank import chain_types
from tests.fit.patchy import bank_of, patchy_problem
from tests.strategies import CHAIN, pruned, random_consoles


def same_audio(one: Trials, other: Trials, masked: Collection[str]) -> bool:
    """To the last bit, in every segment: a loss hides most roundings."""
    return all(
        torch.equal(one._render(start, frozenset(masked)), other._render(start, frozenset(masked)))
        for start in one.starts
    )


@settings(max_examples=15, deadline=None)
@given(
    graph=st.one_of(random_consoles(chain=CHAIN, max_tracks=3), pruned(random_consoles(chain=CHAIN, max_tracks=3))),
    memory_mb=st.sampled_from((0, 0.04, 0.1, 100)),
    data=st.data(),
)
def test_a_trial_is_the_same_to_the_last_bit_whatever_was_tried_before(graph, memory_mb, data):
    """Which signals are kept, and so a search that was broken off and resumed, changes no rounding."""
    problem = patchy_problem(graph)
    bank = bank_of(graph, problem)
    starts, ids = evaluation_starts(problem), [node.id for node in graph.processors]
    trials = Trials(problem, graph, bank, starts, memory_mb=memory_mb)
    trials.first()
    for masked in data.draw(st.lists(st.sets(st.sampled_from(ids)), max_size=8)) if ids else ():
        fresh = Trials(problem, graph, bank, starts)
        assert same_audio(trials, fresh, masked)


BAND = {"band": ["a", "b"]}
ALONE = {name: [name] for name in "abc"}


@pytest.mark.parametrize("memory_mb", [0.04, 0.1, 100])
@pytest.mark.parametrize(
    ("chain", "subgroups", "maskings"),
    [
        pytest.param(
            "cgd",
            BAND,
            [{"track:a/compressor", "track:a/multitap_delay"}, {"track:a/compressor"}],
            id="kept within a run",
        ),
        pytest.param(
            "cdr",
            BAND,
            [
                {"subgroup:band/compressor"},
                {"subgroup:band/compressor", "track:a/multitap_delay"},
                {"track:a/reverb"},
                {"subgroup:band/reverb"},
            ],
            id="runs that grow together without what parts them",
        ),
        pytest.param(
            "dcr",
            BAND,
            [{"track:a/compressor"}, {"track:a/compressor", "track:b/multitap_delay"}],
            id="a run that is longer than any before",
        ),
        pytest.param(
            "ecnd", ALONE, [{"track:a/equalizer"}, {"track:b/compressor"}, {"track:c/noise_gate"}], id="sums of one"
        ),
        pytest.param(
            "dc", ALONE, [{"track:a/multitap_delay"}, {"track:b/multitap_delay"}], id="some rows of a batch in a run"
        ),
    ],
)
def test_what_was_tried_before_changes_no_bits(chain, subgroups, maskings, memory_mb):
    names = sorted(name for members in subgroups.values() for name in members)
    graph = build_console(names, subgroups, chain_types(chain))
    problem = patchy_problem(graph)
    bank, starts = bank_of(graph, problem), evaluation_starts(problem)
    warm = Trials(problem, graph, bank, starts, memory_mb=memory_mb)
    warm.first()
    for masked in maskings:
        assert same_audio(warm, Trials(problem, graph, bank, starts), masked)
