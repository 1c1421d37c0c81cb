"""A mixing graph that is known: drawn over dry tracks, brought to a sane level, and rid of what nobody would hear."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, final

import numpy as np
import torch

from mixgraph.audio.song import Song
from mixgraph.config import SearchConfig
from mixgraph.console import build_console
from mixgraph.corpus.synthetic.draw import draw_console, make_bank, with_gain
from mixgraph.corpus.synthetic.levels import decibels
from mixgraph.corpus.synthetic.ranges import Ranges
from mixgraph.corpus.synthetic.settings import Settings
from mixgraph.errors import SongError
from mixgraph.fit.evaluate import evaluation_starts
from mixgraph.fit.problem import Problem
from mixgraph.fit.trials import Trials
from mixgraph.graph.graph import Graph
from mixgraph.processors.bank import chain_types, make_processors
from mixgraph.result.result import Result

AUDIBLE: Final = 0.02
"""What bypassing a processor adds to the loss L_a, at least: twice what a search gives away (`prune.tolerance`)."""
ATTEMPTS: Final = 20
HIGHEST_PEAK: Final = 1 - 2**-16


@final
@dataclass(frozen=True)
class Truth:
    """A result, without metrics and provenance, and the mix `(2, samples)` that it renders.

    `costs` is what bypassing each processor adds to the loss; `console` the graph that all processors would make.
    """

    result: Result
    mix: np.ndarray
    costs: Mapping[str, float]
    console: Graph


def draw_truth(dry: Song, config: SearchConfig, ranges: Ranges, rng: random.Random) -> Truth:
    """A graph over the tracks of `dry` in which every processor is heard; `SongError` if none comes about."""
    chain = chain_types(config.console.chain)
    subgroups = dry.subgroups if config.console.use_subgroups else {}
    console = build_console(dry.tracks, subgroups, chain)
    processors = make_processors(chain, config.audio.sample_rate, config.processors)

    def render(drawn: Mapping[str, Settings]) -> tuple[Result, np.ndarray]:
        graph = console.without({node.id for node in console.processors} - drawn.keys())
        result = Result(graph, make_bank(graph, drawn, processors), config, {}, {})
        return result, result.render(dry)

    for _ in range(ATTEMPTS):
        drawn = draw_console(dry, console, processors, ranges, rng)
        change_db = _missing_db(render(drawn)[1], ranges, rng)
        drawn = with_gain(console, drawn, change_db)
        while drawn:
            result, mix = render(drawn)
            if np.abs(mix).max() > HIGHEST_PEAK:
                break
            costs = bypass_costs(result, dry, mix)
            heard = {node_id: settings for node_id, settings in drawn.items() if costs[node_id] >= AUDIBLE}
            if len(heard) == len(drawn):
                return Truth(result, mix, costs, console)
            drawn = heard
    found = f"{ATTEMPTS} drawn mixes clipped or had no audible processor"
    raise SongError(f"{dry.name}: {found}; use other tracks or ranges")


def bypass_costs(result: Result, dry: Song, mix: np.ndarray) -> dict[str, float]:
    """What bypassing each processor alone adds to the loss, over all evaluation segments."""
    tracks = {name: dry.track(name) for name in dry.tracks}
    song = Song.from_arrays(dry.name, tracks, mix, dry.sample_rate, dry.subgroups)
    problem = Problem(song, result.config, torch.device("cpu"))
    starts = evaluation_starts(problem)
    return Trials(problem, result.graph, result.bank, starts).probe(len(starts))


def _missing_db(mix: np.ndarray, ranges: Ranges, rng: random.Random) -> float:
    """By how much all gains must change for the mix to have a drawn level, and no higher peak than a drawn one."""
    level_db, peak_db = decibels(float(np.square(mix).mean())), decibels(float(np.square(mix).max()))
    return min(ranges.mix_level_db.draw(rng) - level_db, ranges.mix_peak_db.draw(rng) - peak_db)
