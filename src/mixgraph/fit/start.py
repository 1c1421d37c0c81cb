"""Where gradient descent starts: the published random parameters, or gains that already add up to the mix.

The least-squares start is not the paper's; `docs/differences.md` says what it changes and what it gains.
"""

from __future__ import annotations

import numpy as np
import torch

from mixgraph.audio.song import Song
from mixgraph.fit.nonnegative import nonnegative_solution
from mixgraph.fit.problem import Problem
from mixgraph.graph.graph import Graph
from mixgraph.processors.bank import DRY_WET, ParameterBank

GAIN_LOGIT = 3.0  # dry/wet of a gain that carries the least-squares solution: nearly all wet
SMOOTHING_LOGIT = 5.0  # envelope of 149 samples: 5 ms at 30 kHz, where the published start has 2 samples
GATE_THRESHOLD_SHIFT = -4.0  # log energy: gates start 17 dB lower, so that they pass nearly everything
TAIL_LOGIT = -2.0  # dry/wet of delays and reverbs: 12 % wet, where the published start has 50 %
SMALLEST_GAIN = 1e-3


def initial_bank(problem: Problem, graph: Graph) -> ParameterBank:
    """The start of the console fit, as `fit.start` says, on the problem's device."""
    config = problem.config
    generator = torch.Generator().manual_seed(config.seed)
    kinds = sorted({node.type for node in graph.processors})
    ids = {kind: graph.ids_of(kind) for kind in kinds}
    bank = ParameterBank.initial(ids, problem.processors, std=config.fit.initial_std, generator=generator)
    if config.fit.start == "least_squares":
        _start_neutral(bank)
        _start_at_gains(bank, graph, problem.song)
    return bank.to(problem.device)


def least_squares_gains(song: Song, *, block: int = 1 << 18) -> np.ndarray:
    """Non-negative gains `(track, 2)` of the dry tracks that come nearest to the mix, per channel over the song."""
    count = len(song.tracks)
    gram = np.zeros((2, count, count))
    cross = np.zeros((2, count))
    for start in range(0, song.samples, block):
        length = min(block, song.samples - start)
        tracks = song.track_segment(start, length).astype(np.float64).transpose(1, 0, 2)
        gram += tracks @ tracks.transpose(0, 2, 1)
        cross += (tracks @ song.mix_segment(start, length).astype(np.float64)[:, :, None])[:, :, 0]
    # A silent track leaves the normal equations singular; the ridge makes its gain zero.
    ridge = 1e-9 * max(1e-12, float(np.trace(gram[0] + gram[1]))) * np.eye(count)
    return np.stack([nonnegative_solution(gram[channel] + ridge, cross[channel]) for channel in range(2)], axis=1)


def _start_neutral(bank: ParameterBank) -> None:
    for kind in ("compressor", "noise_gate"):
        if kind in bank.tensors:
            bank.tensors[kind]["smoothing_logit"].add_(SMOOTHING_LOGIT)
    if "noise_gate" in bank.tensors:
        bank.tensors["noise_gate"]["log_threshold"].add_(GATE_THRESHOLD_SHIFT)
    for kind in ("multitap_delay", "reverb"):
        if kind in bank.tensors:
            bank.tensors[kind][DRY_WET].fill_(TAIL_LOGIT)


def _start_at_gains(bank: ParameterBank, graph: Graph, song: Song) -> None:
    """Sets each track's own gain so that w exp(g) + 1 - w is its least-squares gain."""
    if "gain_panning" not in bank.tensors:
        return
    gains = dict(zip(song.tracks, least_squares_gains(song), strict=True))
    wet = 1 / (1 + np.exp(-GAIN_LOGIT))
    log_gain, logit = bank.tensors["gain_panning"]["log_gain"], bank.tensors["gain_panning"][DRY_WET]
    row = {name: index for index, name in enumerate(bank.ids["gain_panning"])}
    for node in graph.inputs:
        node_id = f"{node.id}/gain_panning"
        if node_id in row and node.source is not None:
            wanted = np.maximum((gains[node.source] - (1 - wet)) / wet, SMALLEST_GAIN)
            log_gain[row[node_id]] = torch.from_numpy(np.log(wanted)).to(log_gain)
            logit[row[node_id]] = GAIN_LOGIT
