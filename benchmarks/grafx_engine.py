"""GRAFX 0.6.0 (fixed order, its length fault mended) on our console, in a process of its own; `steps.py` and `trial.py`
call it. Same audio, same loss as `mixgraph bench step`, and the same JSON on the last line.

    python benchmarks/grafx_engine.py [--tracks 16 --subgroups 5 | --song FOLDER] [--keep-memory] [--fast-lengths]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path

from common import ROOT, open_song, timed

sys.path.insert(0, str(ROOT))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tracks", type=int, default=16)
    parser.add_argument("--subgroups", type=int, default=5)
    parser.add_argument("--song", type=Path, metavar="FOLDER", help="the console of this song instead")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--warm-up", type=int, default=1)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--device", default="cpu", help="such as cuda")
    parser.add_argument("--segments-only", action="store_true", help="no training steps")
    parser.add_argument("--keep-memory", action="store_true", help="the allocator settings that mixgraph uses")
    parser.add_argument("--fast-lengths", action="store_true", help="FFT lengths rounded up, which GRAFX does not do")
    options = parser.parse_args()
    if options.keep_memory:
        from mixgraph.memory import keep_memory

        keep_memory()
    import torch

    from mixgraph.memory import peak_memory_mb

    if options.threads:
        torch.set_num_threads(options.threads)
    engine = GrafxEngine(options)
    before = peak_memory_mb()
    times = {"step_s": timed(engine.step, options.repeats, options.warm_up)} if not options.segments_only else {}
    peak = peak_memory_mb()
    times["segment_s"] = timed(engine.segment, options.repeats, options.warm_up)
    medians = {name: statistics.median(values) for name, values in times.items()}
    print(json.dumps(medians | {"rss_mb": peak, "before_mb": before, "times": times}))


class GrafxEngine:
    """One console, ready to be trained and evaluated by GRAFX with everything around it ours."""

    def __init__(self, options: argparse.Namespace) -> None:
        import torch

        from mixgraph.bench import full_console, noise_problem
        from mixgraph.config import make_config
        from mixgraph.dsp.convolution import fast_length
        from mixgraph.fit.problem import Problem
        from mixgraph.processors.bank import chain_types
        from tests.peer.grafx_console import GrafxConsole, mend

        # GRAFX has the published dynamics only, and gain staging of both channels only.
        published = {"processors": {"dynamics_form": "published"}, "loss": {"gain_staging_signal": "stereo"}}
        config = make_config(changes=published)
        device = torch.device(options.device)
        if options.song:
            self.problem = Problem(open_song(options.song), config, device)
        else:
            self.problem = noise_problem(options.tracks, options.subgroups, config, device)
        graph, bank = full_console(self.problem)
        chain, tracks = chain_types(config.console.chain), self.problem.song.tracks
        self.console = GrafxConsole(graph, tracks, bank, chain, self.problem.probe.types)
        if options.fast_lengths:
            mend(fast_length)
        self.optimiser = torch.optim.AdamW(
            list(self.console.leaves.values()), lr=config.fit.learning_rate, weight_decay=0.0
        )
        self.starts = torch.Generator().manual_seed(config.seed)

    def step(self) -> float:
        """Forward, loss, backward, update on a random segment."""
        import torch

        problem, loss = self.problem, self.problem.config.loss
        last = problem.song.samples - problem.config.segment_samples
        start = int(torch.randint(last + 1, (1,), generator=self.starts))
        output, sums = self.console.render(problem.sources(start))
        audio = problem.mix_loss.compare(estimate=problem.mix_loss.features(output), target=problem.target(start))
        total = audio.total + loss.gain_staging_weight * sums["gain_reg"] + loss.radius_weight * sums["radii_reg"]
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        self.optimiser.step()
        return total.item()

    def segment(self) -> float:
        """Render and loss without gradients; the target's features are kept, as ours are."""
        import torch

        problem = self.problem
        with torch.no_grad():
            output, _ = self.console.render(problem.sources(0), grad=False)
            estimate = problem.mix_loss.features(output)
            return problem.mix_loss.compare(estimate=estimate, target=problem.target(0, cached=True)).total.item()


if __name__ == "__main__":
    main()
