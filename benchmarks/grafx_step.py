"""Time of a training step and of an evaluated segment, beside GRAFX 0.6.0 (mended, fixed order) with the same loss.

GRAFX runs twice: with the FFT lengths that it chooses, and with lengths that an FFT likes, which is one line of it.

    python benchmarks/grafx_step.py [--repeats 10] [--seconds 3.8] [--threads 1]

All run in this process, by turns, on the same full console, sources and parameters. A step is forward, loss, backward
and update; a segment is forward and loss without gradients. Prints a Markdown table in milliseconds.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mixgraph.config import SearchConfig
from mixgraph.console import build_console
from mixgraph.dsp.convolution import fast_length
from mixgraph.loss.gain_staging import gain_staging
from mixgraph.loss.mix_loss import Features, MixLoss
from mixgraph.processors.bank import ParameterBank, chain_types, make_processors
from mixgraph.render.base import LevelProbe
from mixgraph.render.batched import BatchedRenderer
from tests.peer.grafx_console import GrafxConsole, mend

CHAIN = chain_types("ecnsgdr")
STAGED = frozenset(chain_types("edr"))
# GRAFX has the published dynamics only, and gain staging of both channels only.
CONFIG = SearchConfig.model_validate(
    {"processors": {"dynamics_form": "published"}, "loss": {"gain_staging_signal": "stereo"}}
)
SIZES = ((4, 2), (8, 3))
OURS = "ours"
PEERS: dict[str, Callable[[int], int]] = {"GRAFX": lambda count: count, "GRAFX, fast FFT lengths": fast_length}


@dataclass
class Contest:
    """One console of so many tracks and subgroups, ready to be trained and evaluated by both."""

    tracks: int
    subgroups: int
    samples: int
    times: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        self.names = tuple(f"track {index}" for index in range(self.tracks))
        groups = {f"group {index}": self.names[index :: self.subgroups] for index in range(self.subgroups)}
        self.graph = build_console(self.names, groups, CHAIN)
        self.sources = 0.2 * torch.randn(self.tracks, 2, self.samples, generator=generator)
        self.target = self.sources.sum(0) * 0.7
        self.loss = MixLoss(CONFIG.loss, CONFIG.audio.sample_rate)
        self.processors = make_processors(CHAIN, CONFIG.audio.sample_rate, CONFIG.processors)
        ids = {type: self.graph.ids_of(type) for type in CHAIN}
        self.bank = ParameterBank.initial(ids, self.processors, std=0.01, generator=generator)
        self.grafx = GrafxConsole(self.graph, self.names, self.bank, CHAIN, STAGED)
        self.ours = BatchedRenderer(self.graph, self.processors, self.names)
        self.our_optimiser = torch.optim.AdamW(self.bank.require_grad(), lr=0.01, weight_decay=0.0)
        self.grafx_optimiser = torch.optim.AdamW(list(self.grafx.leaves.values()), lr=0.01, weight_decay=0.0)

    def our_step(self) -> float:
        rendered = self.ours.render(self.sources, self.bank, LevelProbe(STAGED, CONFIG.loss.gain_staging_signal))
        taps = self.bank.tensors["multitap_delay"]
        penalty = self.processors["multitap_delay"].penalty(taps).sum()
        return self._update(rendered.output, gain_staging(rendered.levels), penalty, self.our_optimiser)

    def grafx_step(self, length: Callable[[int], int]) -> float:
        mend(length)
        output, sums = self.grafx.render(self.sources)
        return self._update(output, sums["gain_reg"], sums["radii_reg"], self.grafx_optimiser)

    @torch.no_grad()
    def our_segment(self) -> float:
        return self._audio(self.ours.render(self.sources, self.bank).output, self._wanted()).item()

    @torch.no_grad()
    def grafx_segment(self, length: Callable[[int], int]) -> float:
        mend(length)
        return self._audio(self.grafx.render(self.sources, grad=False)[0], self._wanted()).item()

    def _wanted(self) -> Features:
        with torch.no_grad():
            return self.loss.features(self.target)

    def _audio(self, output: Tensor, wanted: Features) -> Tensor:
        return self.loss.compare(estimate=self.loss.features(output), target=wanted).total

    def _update(self, output: Tensor, staging: Tensor, penalty: Tensor, optimiser: torch.optim.Optimizer) -> float:
        audio = self._audio(output, self._wanted())
        total = audio + CONFIG.loss.gain_staging_weight * staging + CONFIG.loss.radius_weight * penalty
        optimiser.zero_grad(set_to_none=True)
        total.backward()
        optimiser.step()
        return total.item()

    def run(self, repeats: int) -> None:
        """Times all by turns, after one run each that does not count; the order changes every time."""
        rivals: dict[str, dict[str, Callable[[], float]]] = {
            "training step": {OURS: self.our_step} | {who: partial(self.grafx_step, PEERS[who]) for who in PEERS},
            "evaluated segment": {OURS: self.our_segment}
            | {who: partial(self.grafx_segment, PEERS[who]) for who in PEERS},
        }
        for task, runs in rivals.items():
            for repeat in range(repeats + 1):
                for name in sorted(runs, reverse=bool(repeat % 2)):
                    begin = time.perf_counter()
                    runs[name]()
                    if repeat:
                        self.times.setdefault((task, name), []).append(time.perf_counter() - begin)

    def rows(self) -> list[str]:
        """Rows of the table."""
        found = []
        for task in ("training step", "evaluated segment"):
            fastest = statistics.median(self.times[task, OURS])
            for name in (OURS, *PEERS):
                times = self.times[task, name]
                middle = statistics.median(times)
                numbers = " | ".join(f"{1_000 * value:.0f}" for value in (min(times), middle, max(times)))
                found.append(
                    f"| {self.tracks}/{self.subgroups} | {task} | {name} | {numbers} | {middle / fastest:.2f} |"
                )
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=CONFIG.audio.segment_seconds)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(
        f"{options.seconds} s at {CONFIG.audio.sample_rate} Hz, threads: {options.threads}, runs: {options.repeats}\n"
    )
    print("| tracks/subgroups | task | who | min ms | median ms | max ms | time over ours |")
    print("|---|---|---|---|---|---|---|")
    for tracks, subgroups in SIZES:
        contest = Contest(tracks, subgroups, round(options.seconds * CONFIG.audio.sample_rate))
        contest.run(options.repeats)
        print("\n".join(contest.rows()), flush=True)


if __name__ == "__main__":
    main()
