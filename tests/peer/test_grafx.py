"""The published implementation, GRAFX 0.6.0 (Lee et al., DAFx 2024, arXiv 2408.03204), on the same console.

It departs from the formulas in two places, which the parameters here keep away from: its envelopes are cut at 16384
taps (smoothing is short here), and in single precision the peak of a tap with |z| << 1 is rounding (|z| is 1 here).
"""

from __future__ import annotations

from importlib.util import find_spec

import pytest
import torch
from torch import Tensor

from mixgraph.config import SearchConfig
from mixgraph.console import build_console
from mixgraph.graph.graph import Graph
from mixgraph.loss.gain_staging import gain_staging
from mixgraph.processors.bank import ParameterBank, make_processors
from mixgraph.render.base import LevelProbe
from mixgraph.render.batched import BatchedRenderer
from tests.engine import noise, random_bank
from tests.strategies import CHAIN

INSTALLED = all(map(find_spec, ("grafx", "torch_geometric", "torchlpc")))
pytestmark = [pytest.mark.peer, pytest.mark.skipif(not INSTALLED, reason="needs GRAFX: make test-all installs it")]

TRACKS = ("bass", "drums", "keys", "voice")
STAGED = frozenset(("equalizer", "multitap_delay", "reverb"))
PUBLISHED = SearchConfig.model_validate({"processors": {"dynamics_form": "published"}})
PROCESSORS = make_processors(CHAIN, 30_000, PUBLISHED.processors)


def bank_for(graph: Graph, std: float) -> ParameterBank:
    """Random parameters that both implementations can express exactly."""
    bank = random_bank(graph, PROCESSORS, std=std, dtype=torch.float32)
    for type in ("compressor", "noise_gate"):
        if type in bank.tensors:
            logit = bank.tensors[type]["smoothing_logit"].add_(4)
            assert (torch.sigmoid(logit) ** 16_384 < 1e-9).all()
    if "multitap_delay" in bank.tensors:
        taps = bank.tensors["multitap_delay"]["tap"]
        taps /= torch.linalg.vector_norm(taps, dim=-1, keepdim=True)
    return bank


def close(found: Tensor, wanted: Tensor, relative: float) -> None:
    """Equal up to a share of the largest value."""
    torch.testing.assert_close(found, wanted, rtol=0, atol=relative * float(wanted.abs().max()))


def compare(graph: Graph, tracks: tuple[str, ...], samples: int, std: float, *, relative: float, slopes: float) -> None:
    """Audio, regularisers and all gradients of both."""
    from tests.peer.grafx_console import GrafxConsole

    bank, sources = bank_for(graph, std), noise(len(tracks), 2, samples, dtype=torch.float32)
    peer = GrafxConsole(graph, tracks, bank, CHAIN, STAGED)
    output, sums = peer.render(sources)
    leaves = bank.require_grad()
    toward = noise(2, samples, seed=7, dtype=torch.float32)
    theirs = torch.autograd.grad((output * toward).sum(), list(peer.leaves.values()))
    wanted = peer.to_ours(dict(zip(peer.leaves, theirs, strict=True)), bank)
    for fuse_linear in (False, True):
        renderer = BatchedRenderer(graph, PROCESSORS, tracks, fuse_linear=fuse_linear)
        ours = renderer.render(sources, bank, LevelProbe(STAGED, "stereo"))
        close(ours.output.detach(), output.detach(), relative)
        if not fuse_linear:
            # Fused, the levels would count tails.
            staging = gain_staging(ours.levels)
            assert staging.item() == pytest.approx(sums["gain_reg"].item() if "gain_reg" in sums else 0.0, rel=1e-3)
        gradients = torch.autograd.grad((ours.output * toward).sum(), leaves)
        for name, gradient in zip(bank.flatten(), gradients, strict=True):
            close(gradient, wanted[name], slopes)
    if "multitap_delay" in bank.tensors:
        penalty = PROCESSORS["multitap_delay"].penalty(bank.tensors["multitap_delay"]).sum().item()
        assert penalty == pytest.approx(sums["radii_reg"].item(), rel=1e-4)


@pytest.mark.parametrize("samples", [114_000, 60_001])
@pytest.mark.parametrize("type", CHAIN)
def test_each_processor_is_the_published_one(type, samples):
    graph = build_console(("one",), {}, [type])
    compare(graph, ("one",), samples, 0.3, relative=5e-6, slopes=2e-3)


@pytest.mark.parametrize("samples", [114_000, 60_001])
@pytest.mark.parametrize("std", [0.01, 0.3])
def test_a_full_console_is_the_published_one(samples, std):
    graph = build_console(TRACKS, {"band": TRACKS[:2], "top": TRACKS[2:]}, CHAIN)
    compare(graph, TRACKS, samples, std, relative=5e-6, slopes=2e-3)


def test_a_pruned_console_with_tracks_in_another_order_is_the_published_one():
    graph = build_console(TRACKS, {"band": ("voice", "bass")}, CHAIN)
    removed = [node.id for index, node in enumerate(graph.processors) if index % 3]
    compare(graph.without(removed), ("voice", "keys", "bass", "drums"), 50_001, 0.2, relative=5e-6, slopes=2e-3)
