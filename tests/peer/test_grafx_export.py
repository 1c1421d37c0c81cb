"""An export, loaded and rendered by GRAFX, is our mix."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch

from mixgraph.config import make_config
from mixgraph.console import build_console
from mixgraph.export.grafx import load_grafx
from mixgraph.export.write import export_result
from mixgraph.processors.bank import ParameterBank
from mixgraph.processors.base import PROCESSORS
from mixgraph.render.reference import ReferenceRenderer
from mixgraph.result.result import Result, processor_ids
from tests.engine import noise
from tests.peer.test_grafx import INSTALLED, bank_for
from tests.strategies import CHAIN

pytestmark = [pytest.mark.peer, pytest.mark.skipif(not INSTALLED, reason="needs GRAFX: make test-all installs it")]
TRACKS = ("bass", "drums", "voice")


@pytest.mark.parametrize("form", ["physical", "published"])
def test_grafx_renders_our_mix(form: str, tmp_path: Path) -> None:
    from tests.peer.grafx_console import grafx_data, grafx_render, mend

    mend()
    console = build_console(TRACKS, {"band": TRACKS[:2]}, CHAIN)
    graph = console.without([node.id for index, node in enumerate(console.processors) if index % 2])
    config = make_config(changes={"processors": {"dynamics_form": form}})
    bank: ParameterBank = bank_for(graph, 0.3)
    result = Result(graph, bank.keep(processor_ids(graph)), config, {}, {"song": "x", "tracks": list(TRACKS)})
    assert {type for type in PROCESSORS if type in bank.ids} == set(CHAIN)
    export_result(result, "grafx", tmp_path / "out")
    mix = load_grafx(tmp_path / "out")
    sources = noise(len(TRACKS), 2, 60_000, dtype=torch.float32)
    rows = torch.tensor([TRACKS.index(track) for track in mix.tracks])
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        output, _, _ = grafx_render.render_grafx(
            mix.processors,
            sources[rows],
            mix.parameters,
            grafx_render.prepare_render(grafx_data.convert_to_tensor(mix.graph)),
            common_parameters={"drywet_weight": mix.weights},
            parameters_grad=False,
        )
        wanted = ReferenceRenderer(graph, result.processors, TRACKS).render(sources, result.bank).output
    torch.testing.assert_close(output[0], wanted, rtol=0, atol=1e-5 * float(wanted.abs().max()))
