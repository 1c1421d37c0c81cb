"""Figure 4: what removing each processor alone costs, beside scores that should foretell it."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import SymmetricalLogLocator
from scipy.stats import rankdata

from mixgraph.fit.evaluate import evaluation_starts
from mixgraph.fit.importance import fisher_scores
from mixgraph.fit.problem import Problem
from mixgraph.fit.trials import Trials
from mixgraph.graph.palette import color_of
from mixgraph.paper.studies import Study, consoles_of, require

logger = logging.getLogger(__name__)

SCORES = {"dry/wet weight (the paper's)": 0.0, "Fisher score": 1e-8}
"""What is drawn, and below which value its axis is linear (0: linear throughout)."""


@final
@dataclass(frozen=True)
class Importance:
    """By processor of a fitted console: its type, the rise of the loss without it, and its scores."""

    types: Mapping[str, str]
    rises: Mapping[str, float]
    scores: Mapping[str, Mapping[str, float]]

    def rank_correlation(self, score: str) -> float:
        """Spearman's, of a score with the rise."""
        ranks = rankdata([self.scores[score][name] for name in self.rises]), rankdata(list(self.rises.values()))
        return float(np.corrcoef(*ranks)[0, 1])


def draw(studies: Sequence[Study]) -> Figure:
    """One row for each song with a fitted full console, up to three; one column for each score."""
    consoles = consoles_of(studies)
    rows = require([consoles[song] for song in sorted(consoles)][:3], "the fit of a full console (`mixgraph console`)")
    figure = Figure(figsize=(8, 0.6 + 2.7 * len(rows)), layout="constrained")
    axes = figure.subplots(len(rows), len(SCORES), squeeze=False)
    for line, study in zip(axes, rows, strict=True):
        found = measure(study)
        for ax, (score, linear_below) in zip(line, SCORES.items(), strict=True):
            for kind in dict.fromkeys(found.types.values()):
                names = [name for name, of in found.types.items() if of == kind]
                places = [found.scores[score][name] for name in names]
                ax.scatter(places, [found.rises[name] for name in names], s=14, color=color_of(kind), label=kind)
            ax.set_title(f"{study.song}: rank correlation {found.rank_correlation(score):.2f}", fontsize="medium")
            # Rises span many powers of ten, and one may be negative.
            ax.set_yscale("symlog", linthresh=1e-4)
            if linear_below:
                ax.set_xscale("symlog", linthresh=linear_below)
                # Every power of ten would have its label in that of the next.
                locator = SymmetricalLogLocator(base=10, linthresh=linear_below)
                locator.set_params(numticks=5)
                ax.xaxis.set_major_locator(locator)
        line[0].set_ylabel("rise of the loss")
    for ax, score in zip(axes[-1], SCORES, strict=True):
        ax.set_xlabel(score)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside right center", frameon=False, fontsize="small")
    return figure


def measure(study: Study) -> Importance:
    """Removes every processor alone, over all evaluation segments of the song."""
    logger.info("%s: removing each of %d processors alone", study.song, len(study.result.graph.processors))
    graph, config = study.result.graph, study.result.config
    with study.load_song() as song:
        problem = Problem(song, config, torch.device("cpu"))
        starts = evaluation_starts(problem)
        bank = study.result.bank.to("cpu")
        trials = Trials(problem, graph, bank, starts, memory_mb=config.prune.trial_memory_mb)
        base = trials.first()
        rises = {
            node.id: trials.loss_with(frozenset([node.id]), masked=frozenset(), loss=base, limit=math.inf) - base
            for node in graph.processors
        }
        scores = (bank.dry_wet(), fisher_scores(problem, graph, bank, starts))
    types = {node.id: node.type for node in graph.processors}
    return Importance(types, rises, dict(zip(SCORES, scores, strict=True)))
