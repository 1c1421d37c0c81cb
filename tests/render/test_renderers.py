"""Two renderers, one truth: the batched renderer against the plain one, in audio, levels and gradients."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mixgraph.config import SearchConfig
from mixgraph.console import build_console
from mixgraph.errors import GraphError
from mixgraph.graph.graph import Graph
from mixgraph.graph.node import Node
from mixgraph.graph.schedule import METHODS
from mixgraph.processors.bank import make_processors
from mixgraph.processors.base import PROCESSORS, ConvolutionProcessor
from mixgraph.render.base import LevelProbe
from mixgraph.render.batched import BatchedRenderer
from mixgraph.render.plan import compile_plan
from mixgraph.render.reference import ReferenceRenderer
from mixgraph.render.responses import Responses
from tests.engine import gradients, noise, random_bank, small_processors, sorted_levels, tracks_of
from tests.strategies import CHAIN, pruned, random_consoles, random_graphs

GRAPHS = st.one_of(
    random_graphs(), random_graphs(types=("reverb", "compressor")), pruned(random_consoles(max_tracks=4))
)
LINEAR = ("equalizer", "stereo_imager", "gain_panning", "multitap_delay", "reverb")
CAUSAL = LINEAR[1:]
CONVOLUTIONS = ("equalizer", "multitap_delay", "reverb")
SMALL = settings(max_examples=25, deadline=None)


def close(found: torch.Tensor, wanted: torch.Tensor, *, relative: float = 1e-8) -> None:
    """Equal up to rounding that is `relative` to the largest value."""
    tolerance = relative * max(1e-6, float(wanted.abs().max()))
    torch.testing.assert_close(found, wanted, rtol=0, atol=tolerance)


PLAIN = {"fuse_linear": False, "compiled": False}


def assert_same(
    graph: Graph, sources, bank, processors, *, methods=METHODS, probe=None, relative=1e-8, **passes
) -> None:
    """Every schedule gives the audio, the levels and the gradients of the plain renderer."""
    probe = LevelProbe(frozenset(PROCESSORS), "mid") if probe is None else probe
    tracks = tracks_of(graph)
    wanted, wanted_gradients = gradients(ReferenceRenderer(graph, processors, tracks), sources, bank, probe)
    assert set(wanted.levels) == {node.type for node in graph.processors} & probe.types
    for method in methods:
        renderer = BatchedRenderer(graph, processors, tracks, method, **passes)
        found, found_gradients = gradients(renderer, sources, bank, probe)
        close(found.output, wanted.output, relative=relative)
        assert set(found.levels) == set(wanted.levels)
        for type, pair in wanted.levels.items():
            for one, other in zip(sorted_levels(found.levels[type]), sorted_levels(pair), strict=True):
                close(one, other, relative=relative)
        for name, gradient in wanted_gradients.items():
            assert torch.isfinite(gradient).all(), name
            close(found_gradients[name], gradient, relative=100 * relative)


@SMALL
@given(
    graph=GRAPHS,
    samples=st.sampled_from((800, 1_001, 1_200)),
    form=st.sampled_from(("physical", "published")),
    probe=st.builds(LevelProbe, st.frozensets(st.sampled_from(CHAIN)), st.sampled_from(("mid", "stereo"))),
    seed=st.integers(0, 99),
)
def test_batched_is_one_by_one(graph, samples, form, probe, seed):
    processors = small_processors(dynamics_form=form)
    sources = noise(len(tracks_of(graph)), 2, samples, seed=seed)
    assert_same(graph, sources, random_bank(graph, processors, seed=seed), processors, probe=probe, **PLAIN)


@SMALL
@given(
    graph=GRAPHS,
    samples=st.sampled_from((40, 800, 1_001, 1_200)),
    form=st.sampled_from(("physical", "published")),
    types=st.frozensets(st.sampled_from(("compressor", "noise_gate"))),
    fuse_linear=st.booleans(),
    seed=st.integers(0, 99),
)
def test_passes_change_nothing(graph, samples, form, types, fuse_linear, seed):
    """The longest tails are longer than the shortest signal."""
    processors = small_processors(dynamics_form=form)
    sources = noise(len(tracks_of(graph)), 2, samples, seed=seed)
    bank, probe = random_bank(graph, processors, seed=seed), LevelProbe(types, "mid")
    assert_same(graph, sources, bank, processors, probe=probe, methods=("fixed",), fuse_linear=fuse_linear)


@SMALL
@given(graph=GRAPHS, data=st.data())
def test_silent_tracks_are_left_out_and_change_nothing(graph, data):
    """Neither the audio nor any gradient in a parameter; with all of them silent, neither."""
    assume(graph.processors)
    processors, tracks = small_processors(), tracks_of(graph)
    bank, sources = random_bank(graph, processors), noise(len(tracks), 2, 700)
    silent = data.draw(st.sets(st.sampled_from(range(len(tracks)))))
    sources[list(silent)] = 0
    toward, found = noise(2, 700, seed=4), []
    for skip_silence in (True, False):
        renderer = BatchedRenderer(graph, processors, tracks, skip_silence=skip_silence)
        leaves = bank.to("cpu", torch.float64)
        output = renderer.render(sources, leaves).output
        slopes = torch.autograd.grad(
            (renderer.render(sources, required(leaves)).output * toward).sum(),
            list(leaves.flatten().values()),
            materialize_grads=True,
        )
        found.append((output.detach(), *slopes))
    for one, other in zip(*found, strict=True):
        close(one, other, relative=1e-7)


def test_where_no_processor_is_heard_its_gradients_are_zero():
    """The only track with a processor is silent, another one is not."""
    graph = build_console(("a", "b"), {}, ("gain_panning",)).without(
        ["track:b/gain_panning", "subgroup:a/gain_panning", "subgroup:b/gain_panning"]
    )
    bank, sources = required(random_bank(graph, small_processors())), noise(2, 2, 700)
    sources[0] = 0
    BatchedRenderer(graph, small_processors(), ("a", "b")).render(sources, bank).output.sum().backward()
    for leaf in bank.flatten().values():
        assert leaf.grad is not None and not leaf.grad.any()


def required(bank):
    bank.require_grad()
    return bank


@pytest.mark.parametrize("passes", [{}, {"fuse_linear": False}, {"compiled": False}, PLAIN])
@pytest.mark.parametrize("form", ["physical", "published"])
def test_passes_change_nothing_in_single_precision(passes, form):
    """Compiled loops are for single precision, so that is where they are compared; chains in an order of their own."""
    graph = build_console(["a", "b", "c"], {"ab": ["a", "b"]}, (*CHAIN[3:], *CHAIN[:3]))
    processors = small_processors(dynamics_form=form)
    bank = random_bank(graph, processors, dtype=torch.float32)
    sources = noise(3, 2, 3_001, dtype=torch.float32)
    assert_same(graph, sources, bank, processors, methods=("fixed",), probe=LevelProbe(), relative=1e-5, **passes)


@SMALL
@given(
    chain=st.one_of(st.permutations(CAUSAL), st.just(("equalizer",))),
    signal=st.sampled_from(("mid", "stereo")),
    seed=st.integers(0, 99),
)
def test_fused_processors_observe_levels_with_their_tails(chain, signal, seed):
    """As the plain renderer does when silence before and after the sources holds everything."""
    graph = build_console(["a", "b"], {} if len(chain) == 1 else {"ab": ["a", "b"]}, chain)
    graph = graph.without([node.id for node in graph.processors if len(chain) == 1 and node.id.startswith("sub")])
    processors, samples, margin = small_processors(), 500, 4_000
    bank, probe = random_bank(graph, processors, seed=seed), LevelProbe(frozenset(CONVOLUTIONS), signal)
    sources = noise(len(tracks_of(graph)), 2, samples, seed=seed)
    found, slopes = gradients(BatchedRenderer(graph, processors, tracks_of(graph)), sources, bank, probe)
    padded = torch.nn.functional.pad(sources, (margin, margin))
    wanted = ReferenceRenderer(graph, processors, tracks_of(graph)).render(padded, bank, probe)
    for type in {node.type for node in graph.processors} & probe.types:
        for one, other in zip(sorted_levels(found.levels[type])[:2], sorted_levels(wanted.levels[type]), strict=False):
            close(one, other * (padded.shape[-1] / samples))
    assert all(torch.isfinite(slope).all() for slope in slopes.values())


def test_batched_is_one_by_one_at_real_sizes_in_single_precision():
    graph = build_console(["a", "b", "c"], {"ab": ["a", "b"]}, CHAIN)
    processors = make_processors(CHAIN, 30_000, SearchConfig.model_validate({}).processors)
    bank = random_bank(graph, processors, std=0.1, dtype=torch.float32)
    sources = noise(3, 2, 90_001, dtype=torch.float32)
    assert_same(graph, sources, bank, processors, methods=("fixed",), relative=2e-5, **PLAIN)
    assert_same(graph, sources, bank, processors, methods=("fixed",), relative=2e-5, probe=LevelProbe())


@SMALL
@given(graph=GRAPHS, seed=st.integers(0, 99))
def test_a_weight_of_zero_is_removal(graph, seed):
    processors = small_processors()
    bank = random_bank(graph, processors, seed=seed)
    sources = noise(len(tracks_of(graph)), 2, 801, seed=seed)
    removed = {node.id for index, node in enumerate(graph.processors) if (seed + index) % 3}
    for type, ids in bank.ids.items():
        for row, name in enumerate(ids):
            if name in removed:
                bank.tensors[type]["dry_wet_logit"][row] = -torch.inf
    left = graph.without(removed)
    kept = bank.keep({type: [name for name in ids if name not in removed] for type, ids in bank.ids.items()})
    nothing = LevelProbe()
    for kind in (ReferenceRenderer, BatchedRenderer):
        masked, masked_gradients = gradients(kind(graph, processors, tracks_of(graph)), sources, bank, nothing)
        pruned_, pruned_gradients = gradients(kind(left, processors, tracks_of(graph)), sources, kept, nothing)
        close(masked.output, pruned_.output)
        close(masked_gradients["sources"], pruned_gradients["sources"])
        for key in bank.flatten():
            type, name = key.split(".", 1)
            for row, node in enumerate(bank.ids[type]):
                here = masked_gradients[key][row]
                if node in removed:
                    assert not here.any()
                else:
                    close(here, pruned_gradients[f"{type}.{name}"][kept.ids[type].index(node)], relative=1e-6)


@pytest.mark.parametrize("type", sorted(PROCESSORS))
def test_a_batch_of_equal_nodes_is_one_node_so_many_times(type):
    def fan(count: int) -> Graph:
        names = [f"p{index}" for index in range(count)]
        nodes = [Node("i", "in", "a"), *(Node(name, type) for name in names), Node("o", "out")]
        return Graph(tuple(nodes), tuple(edge for name in names for edge in (("i", name), (name, "o"))))

    count, processors, sources = 5, small_processors(), noise(1, 2, 901)
    single, several = random_bank(fan(1), processors), random_bank(fan(count), processors)
    for name, tensor in several.tensors[type].items():
        tensor.copy_(single.tensors[type][name].expand_as(tensor))
    assert [len(stage.ids) for stage in compile_plan(fan(count)) if stage.type == type] == [count]
    found, found_gradients = gradients(BatchedRenderer(fan(count), processors, ("a",)), sources, several, LevelProbe())
    wanted, wanted_gradients = gradients(BatchedRenderer(fan(1), processors, ("a",)), sources, single, LevelProbe())
    close(found.output, count * wanted.output)
    close(found_gradients.pop("sources"), count * wanted_gradients.pop("sources"))
    for key, gradient in found_gradients.items():
        close(gradient, wanted_gradients[key].expand_as(gradient))


@SMALL
@given(graph=GRAPHS, seed=st.integers(0, 99))
def test_what_leaves_a_node_is_what_the_graph_up_to_it_gives(graph, seed):
    processors = small_processors()
    bank, tracks = random_bank(graph, processors, seed=seed), tracks_of(graph)
    sources = noise(len(tracks), 2, 600, seed=seed)
    renderer = ReferenceRenderer(graph, processors, tracks)
    asked: list[str] = []

    def read(track: str) -> torch.Tensor:
        asked.append(track)
        return sources[tracks.index(track)]

    signals = renderer.node_outputs(read, bank, [node.id for node in graph.nodes])
    assert sorted(asked) == sorted(node.source for node in graph.inputs)
    assert set(signals) == {node.id for node in graph.nodes}
    close(signals[graph.output.id], renderer.render(sources, bank).output)
    for node in graph.nodes:
        if node.type != "out":
            upto = up_to(graph, node.id)
            close(signals[node.id], BatchedRenderer(upto, processors, tracks).render(sources, bank).output)


def up_to(graph: Graph, node_id: str) -> Graph:
    """The part of the graph that leads to one node, with an output after it."""
    found, ahead = {node_id}, [node_id]
    while ahead:
        before = set(graph.predecessors(ahead.pop())) - found
        found |= before
        ahead += before
    nodes = tuple(node for node in graph.nodes if node.id in found)
    edges = tuple(edge for edge in graph.edges if edge[1] in found)
    return Graph((*nodes, Node("end", "out")), (*edges, (node_id, "end")))


@SMALL
@given(graph=GRAPHS, fuse_linear=st.booleans(), data=st.data())
def test_observed_signals_are_those_that_leave_the_nodes(graph, fuse_linear, data):
    processors, tracks = small_processors(), tracks_of(graph)
    bank, sources = random_bank(graph, processors), noise(len(tracks), 2, 600)
    names = data.draw(st.sets(st.sampled_from([node.id for node in graph.nodes])))
    renderer = BatchedRenderer(graph, processors, tracks, fuse_linear=fuse_linear)
    found, wanted = renderer.render(sources, bank, observe=names), renderer.render(sources, bank)
    close(found.output, wanted.output)
    assert set(found.signals) == names and not wanted.signals
    read = dict(zip(tracks, sources, strict=True)).__getitem__
    for name, signal in ReferenceRenderer(graph, processors, tracks).node_outputs(read, bank, names).items():
        close(found.signals[name], signal)


@SMALL
@given(graph=GRAPHS, data=st.data())
def test_kept_responses_change_nothing_and_are_computed_once(graph, data):
    """For parts of a graph and signals of two lengths, which have one FFT length but do not show as many taps."""
    processors, tracks = small_processors(), tracks_of(graph)
    bank, responses = random_bank(graph, processors), Responses()
    ids = [node.id for node in graph.processors]
    parts = [graph, graph.without(data.draw(st.sets(st.sampled_from(ids))) if ids else ())]
    calls: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        for processor in processors.values():
            if isinstance(processor, ConvolutionProcessor):
                patch.setattr(processor, "impulse_response", _counted(processor.impulse_response, calls))
        for part, samples in itertools.product(parts, (100, 101)):
            sources = noise(len(tracks), 2, samples)
            wanted = BatchedRenderer(part, processors, tracks).render(sources, bank).output
            renderer = BatchedRenderer(part, processors, tracks, responses=responses)
            close(renderer.render(sources, bank).output, wanted)
            calls.clear()
            again = BatchedRenderer(part, processors, tracks, responses=responses)
            close(again.render(sources, bank).output, wanted)
            assert not calls


def test_responses_that_many_threads_ask_for_are_made_once():
    responses, made = Responses(), []

    def make() -> torch.Tensor:
        time.sleep(0.05)
        made.append(1)
        return torch.zeros(3)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: responses.of("reverb", 100, 256, make), range(4)))
    assert len(made) == 1
    assert all(one is found[0] for one in found)


def _counted(respond, calls: list[int]):
    def counting(parameters):
        calls.append(1)
        return respond(parameters)

    return counting


@SMALL
@given(graph=random_graphs(types=LINEAR), data=st.data())
def test_a_linear_graph_adds_up_and_takes_its_tracks_in_any_order(graph, data):
    processors, tracks = small_processors(), tracks_of(graph)
    bank, sources = random_bank(graph, processors), noise(len(tracks), 2, 700)
    for kind in (ReferenceRenderer, BatchedRenderer):
        whole = kind(graph, processors, tracks).render(sources, bank).output
        alone = torch.eye(len(tracks), dtype=sources.dtype)[:, :, None, None] * sources
        apart = torch.stack([kind(graph, processors, tracks).render(only, bank).output for only in alone])
        close(apart.sum(0), whole)
        order = data.draw(st.permutations([*range(len(tracks)), len(tracks)]))
        shuffled = tuple((*tracks, "unused")[row] for row in order)
        extended = torch.cat([sources, noise(1, 2, 700, seed=5)])[order]
        close(kind(graph, processors, shuffled).render(extended, bank).output, whole)


@pytest.mark.parametrize("kind", [ReferenceRenderer, BatchedRenderer])
def test_a_missing_track_and_an_unknown_node_are_named(kind):
    graph, processors = build_console(["bass", "voice"], {}, ["gain_panning"]), small_processors()
    bank = random_bank(graph, processors)
    with pytest.raises(GraphError, match="track:voice.*'voice'"):
        kind(graph, processors, ("bass",)).render(noise(1, 2, 100), bank)
    if kind is ReferenceRenderer:
        with pytest.raises(GraphError, match="nowhere"):
            kind(graph, processors, ("bass", "voice")).node_outputs(lambda track: noise(2, 100), bank, ["nowhere"])


@pytest.mark.parametrize("kind", [ReferenceRenderer, BatchedRenderer])
def test_the_straight_through_delay_finds_an_echo(kind):
    """Gradients have unit magnitude, and steps against them move both taps by four samples, onto the target's."""
    graph = build_console(["a"], {}, ["multitap_delay"]).without(["subgroup:a/multitap_delay"])
    processors = small_processors(delay_seconds=0.005, delay_color_bins=2)
    bank, renderer = random_bank(graph, processors), kind(graph, processors, ("a",))
    parameters = bank.tensors["multitap_delay"]
    parameters["color_log_magnitude"].zero_()
    parameters["dry_wet_logit"].fill_(torch.inf)
    window = torch.hann_window(31, dtype=torch.float64).expand(2, 1, -1)
    low = torch.nn.functional.conv1d(noise(1, 2, 900), window, groups=2, padding="same")

    def taps_at(samples: float) -> torch.Tensor:
        one = torch.ones((1, 2, 1), dtype=torch.float64)
        color = parameters["color_log_magnitude"].unflatten(1, (2, 1))
        physical = {"tap_time_ms": samples / 8 * one, "tap_radius": 0.8 * one, "color_db": color}
        return processors["multitap_delay"].raw(physical)["tap"]

    parameters["tap"] = taps_at(20)
    target = renderer.render(low, bank).output
    taps, error = taps_at(24), torch.tensor(1.0)
    for _ in range(60):
        parameters["tap"] = taps.detach().requires_grad_()
        error = (renderer.render(low, bank).output - target).square().sum()
        (slope,) = torch.autograd.grad(error, parameters["tap"])
        size = torch.view_as_complex(slope).abs()
        assert not error > 1e-9 or torch.allclose(size, torch.ones_like(size), atol=1e-3)
        taps = parameters["tap"] - 0.03 * slope
    assert error.item() < 1e-9
