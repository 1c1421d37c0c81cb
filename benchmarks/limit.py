"""The physical limit of a training step: its FFTs and its traffic to memory, at what this machine can do of each.

    python benchmarks/limit.py [--size 16/5] [--repeats 5] [--json FILE]

One step is watched for the FFTs that it asks for, forward and backward, with their lengths; each kind is then timed
alone. Memory: every processor must at least read its input and write its output, read both and the output's gradient
backward and write the input's, all at the speed of copying. FFTs overlap with nothing, so the limit is the sum. A
second table has the FFT's time by length, and which lengths `dsp.convolution.fast_length` takes.
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections import Counter
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from common import in_own_process, options_of, prepare, save, say, spread, table, timed

COPY_BYTES = 256_000_000
WANTED = (116_000, 174_000, 234_000)
ROWS = 32
PRIMES = (2, 3, 5, 7)


class Transform(NamedTuple):
    """One call: `r2c`, `c2r` or `c2c`, of `rows` signals of `n` samples."""

    kind: str
    rows: int
    n: int


class WatchFfts(TorchDispatchMode):
    """Counts the FFTs that torch is asked for, in backward passes too."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[Transform] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        kind = func.overloadpacket.__name__.removeprefix("_fft_")
        if kind in ("r2c", "c2r", "c2c"):
            longer: Tensor = found if kind == "c2r" else args[0]
            n = math.prod(longer.shape[axis] for axis in args[1])
            self.calls[Transform(kind, longer.numel() // n, n)] += 1
        return found


def main() -> None:
    options = options_of(__doc__, _add)
    prepare(options.threads)
    from mixgraph.bench import full_console, noise_problem
    from mixgraph.config import make_config
    from mixgraph.dsp.fft import Plans

    tracks, subgroups = map(int, options.size.split("/"))
    problem = noise_problem(
        tracks, subgroups, make_config(changes={"fit": {"segments_per_step": 1}}), torch.device("cpu")
    )
    graph, bank = full_console(problem)
    say("a step")
    size = ["--tracks", str(tracks), "--subgroups", str(subgroups), "--threads", str(options.threads)]
    how = ["--repeats", str(options.repeats)]
    steps = in_own_process("-m", "mixgraph", "bench", "step", "--json", *size, *how)["times"]["step_s"]
    # Watched are PyTorch's own.
    Plans.kept = False
    bank.require_grad()
    with WatchFfts() as forward:
        objective = problem.objective(problem.renderer(graph), bank, 0, sparsity=0.0)
    with WatchFfts() as backward:
        objective.total.backward()
    Plans.kept = True
    say("its FFTs")
    costs = {
        call: statistics.median(timed(partial(_run, *made), options.repeats)) for call, made in _made(forward, backward)
    }
    moved, bandwidth = _traffic(problem, graph), _bandwidth(options.repeats)
    floor = _print_ffts(options.size, costs, forward.calls, backward.calls)
    step = statistics.median(steps)
    rows = [
        ["FFTs", f"{1_000 * floor:.0f}", f"{floor / step:.0%}"],
        [
            f"{moved / 1e9:.2f} GB moved at {bandwidth / 1e9:.1f} GB/s",
            f"{1_000 * moved / bandwidth:.0f}",
            f"{moved / bandwidth / step:.0%}",
        ],
        ["limit", f"{1_000 * (floor + moved / bandwidth):.0f}", f"{(floor + moved / bandwidth) / step:.0%}"],
        [f"the step: {' / '.join(spread(steps))} (min / median / max)", f"{1_000 * step:.0f}", "100%"],
    ]
    table(f"The limit of a step, {options.size}, {options.threads} threads", ["what", "ms", "of the step"], rows)
    lengths = _lengths(options.repeats) if not options.no_lengths else {}
    ffts = [
        call._asdict() | {"calls": forward.calls[call] + backward.calls[call], "seconds": costs[call]} for call in costs
    ]
    save(options, step_s=steps, ffts=ffts, fft_s=floor, moved_bytes=moved, bytes_per_s=bandwidth, lengths=lengths)


def _add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--size", default="16/5", metavar="K/S")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--no-lengths", action="store_true", help="leave out the table of lengths")


def _made(*watches: WatchFfts) -> list[tuple[Transform, tuple[str, Tensor, int]]]:
    """An input for each kind of call."""
    found = []
    for call in sorted({call for watch in watches for call in watch.calls}, key=lambda call: (-call.n, call)):
        count = call.n // 2 + 1 if call.kind == "c2r" else call.n
        signal = torch.randn(call.rows, count, dtype=torch.float32 if call.kind == "r2c" else torch.complex64)
        found.append((call, (call.kind, signal, call.n)))
    return found


def _run(kind: str, signal: Tensor, n: int) -> Tensor:
    from mixgraph.dsp import fft

    if kind == "r2c":
        return fft.rfft(signal, n)
    return fft.irfft(signal, n, n) if kind == "c2r" else torch.fft.fft(signal)


def _traffic(problem: Any, graph: Any) -> int:
    """Bytes: five passes over every processor's signal, and three over every impulse response's spectrum."""
    from mixgraph.processors.base import ConvolutionProcessor
    from mixgraph.render.plan import compile_plan, fft_length

    length = problem.config.segment_samples
    n = fft_length(compile_plan(graph), problem.processors, length)
    total = 0
    for node in graph.processors:
        is_linear = isinstance(problem.processors[node.type], ConvolutionProcessor)
        total += 5 * 2 * 4 * (n if is_linear else length) + is_linear * 3 * 2 * 4 * n
    return total


def _bandwidth(repeats: int) -> float:
    """Bytes a second that copying reads and writes together."""
    source = torch.ones(COPY_BYTES // 4)
    target = torch.empty_like(source)
    return 2 * COPY_BYTES / min(timed(lambda: target.copy_(source), max(3, repeats)))


def _print_ffts(
    size: str, costs: dict[Transform, float], forward: Counter[Transform], backward: Counter[Transform]
) -> float:
    """Returns the seconds of all."""
    total, small, rows = 0.0, 0.0, []
    for call, seconds in costs.items():
        count = forward[call] + backward[call]
        total += count * seconds
        if count * seconds < 1e-3:
            small += count * seconds
            continue
        each = f"{1_000 * seconds:.2f}"
        rows.append(
            [call.kind, call.n, call.rows, forward[call], backward[call], each, f"{1_000 * count * seconds:.1f}"]
        )
    rows.append(["all that cost less than 1 ms", "", "", "", "", "", f"{1_000 * small:.1f}"])
    header = ["FFT", "length", "signals", "calls forward", "backward", "ms each", "ms"]
    table(f"FFTs of a step, {size}", header, rows)
    return total


def _lengths(repeats: int) -> dict[int, float]:
    """Milliseconds by length, printed."""
    from mixgraph.dsp.convolution import fast_length

    found: dict[int, float] = {}
    rows = []
    for wanted in WANTED:
        say(f"lengths near {wanted}")
        chosen = fast_length(wanted)
        smooth = [n for n in range(wanted, round(1.03 * wanted), 2) if _factors(n)]
        power = 2 ** math.ceil(math.log2(wanted))
        for n in sorted({wanted, wanted + 1, *smooth[:14], chosen, power}):
            times = timed(partial(_there_and_back, torch.randn(ROWS, n)), repeats)
            found[n] = 1_000 * statistics.median(times)
            mark = "fast_length" if n == chosen else ""
            rows.append([wanted, n, _factors(n) or "other primes", *spread(times, digits=1), mark])
    header = ["at least", "length", "factors", "min ms", "median ms", "max ms", ""]
    table(f"An FFT and its inverse, {ROWS} signals, by length", header, rows)
    return found


def _there_and_back(signal: Tensor) -> Tensor:
    from mixgraph.dsp import fft

    n = signal.shape[-1]
    return fft.irfft(fft.rfft(signal, n), n, n)


def _factors(n: int) -> str:
    """Such as `2^4 3 5`; empty if other primes divide it."""
    parts = []
    for prime in PRIMES:
        power = 0
        while n % prime == 0:
            n, power = n // prime, power + 1
        if power:
            parts.append(f"{prime}^{power}" if power > 1 else str(prime))
    return " ".join(parts) if n == 1 else ""


if __name__ == "__main__":
    main()
