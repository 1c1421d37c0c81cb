"""A run of linear processors on spectra: channels mixed by a matrix, filters with their dry/wet, rows added up.

Gradients of spectra are as in `mixgraph.dsp.spectral`. Compiled where that is possible; elsewhere the same in torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mixgraph.dsp.compiled import array, share, usable
from mixgraph.dsp.level import LevelPair

MAX_FILTERS = 2
CHUNK = 1 << 13  # bins that one call of a kernel treats
Level = Literal["mid", "stereo"] | None
MODES = {None: 0, "mid": 1, "stereo": 2}


@dataclass(frozen=True)
class Filter:
    """X becomes (1 - w + w H) X in some rows of a run.

    `response (filter, 1 or 2, bin)`, `weight (filter,)`; `rows` are those of the run, in the order of the filters.
    `level` names the signal whose level is observed before and after H.
    """

    response: Tensor
    weight: Tensor
    rows: tuple[int, ...]
    level: Level = None


def apply_run(
    spectrum: Tensor,
    matrix: Tensor | None,
    filters: Sequence[Filter],
    targets: Sequence[int],
    count: int,
    *,
    n: int,
    length: int,
) -> tuple[Tensor, list[LevelPair | None]]:
    """Rows `(row, 2, bin)` mixed by `(row, 2, 2)`, through up to two filters one after the other, added up by target.

    Row r is added to row `targets[r]` of the output `(count, 2, bin)`. Beside it, per filter the mean-square levels of
    X and H X per sample of `length` (Parseval: their tails count).
    """
    plan = _plan(
        tuple(targets), count, tuple(one.rows for one in filters), tuple(one.level for one in filters), n, length
    )
    if matrix is None:
        matrix = torch.eye(2, dtype=spectrum.real.dtype, device=spectrum.device).expand(len(spectrum), 2, 2)
    tensors = [tensor for one in filters for tensor in (one.response, one.weight)]
    output, levels = _Run.apply(plan, spectrum, matrix, *tensors)
    pairs = [
        LevelPair(dry=levels[list(one.rows), slot, 0], wet=levels[list(one.rows), slot, 1]) if one.level else None
        for slot, one in enumerate(filters)
    ]
    return output, pairs


@dataclass(frozen=True)
class _Plan:
    """What of a run is not a tensor; arrays as in `mixgraph.dsp.spectral_kernels`."""

    targets: tuple[int, ...]
    rows: tuple[tuple[int, ...], ...]
    levels: tuple[Level, ...]
    n: int
    length: int
    tasks: np.ndarray
    members: np.ndarray
    offsets: np.ndarray
    places: np.ndarray

    @property
    def count(self) -> int:
        """How many targets there are."""
        return len(self.offsets) - 1

    @property
    def modes(self) -> np.ndarray:
        """What each filter observes."""
        modes = np.zeros(MAX_FILTERS, np.int64)
        modes[: len(self.levels)] = [MODES[level] for level in self.levels]
        return modes

    def scale(self, slot: int) -> float:
        """From a sum over bins, ends counted half, to a mean over time, and for `stereo` over two channels."""
        return (1 if self.levels[slot] == "mid" else 0.5) * 2 / (self.n * self.length)


@lru_cache(maxsize=512)
def _plan(
    targets: tuple[int, ...],
    count: int,
    rows: tuple[tuple[int, ...], ...],
    levels: tuple[Any, ...],
    n: int,
    length: int,
) -> _Plan:
    if len(rows) > MAX_FILTERS:
        raise ValueError(f"{len(rows)} filters in a run; it can have {MAX_FILTERS}")
    bins = n // 2 + 1
    places = np.full((len(targets), MAX_FILTERS), -1)
    for slot, some in enumerate(rows):
        places[list(some), slot] = np.arange(len(some))
    starts = np.arange(0, bins, CHUNK)
    chunks = np.stack([np.arange(len(starts)), starts, np.minimum(starts + CHUNK, bins)], 1)
    tasks = [(chunk, target, start, stop) for target in range(count) for chunk, start, stop in chunks]
    members = np.argsort(targets, kind="stable")
    offsets = np.searchsorted(np.asarray(targets)[members], np.arange(count + 1))
    return _Plan(targets, rows, levels, n, length, np.array(tasks), members, offsets, places)


class _Run(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, plan: _Plan, spectrum: Tensor, matrix: Tensor, *filters: Tensor) -> tuple[Tensor, Tensor]:
        spectrum, matrix = spectrum.contiguous(), matrix.contiguous()
        filters = tuple(tensor.contiguous() for tensor in filters)
        ctx.save_for_backward(spectrum, matrix, *filters)
        ctx.plan, ctx.usable = plan, usable(spectrum, matrix, *filters)
        run = _forward_compiled if ctx.usable else _forward
        output, sums = run(plan, spectrum, matrix, filters)
        for slot in range(len(plan.rows)):
            sums[:, slot] *= plan.scale(slot)
        return output, sums

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, grad_levels: Tensor) -> tuple[Tensor | None, ...]:
        plan, (spectrum, matrix, *filters) = ctx.plan, ctx.saved_tensors
        levels = torch.zeros_like(grad_levels)
        for slot in range(len(plan.rows)):
            # Twice that of the energies, in the measure of a signal's gradient.
            levels[:, slot] = grad_levels[:, slot] * (plan.scale(slot) * plan.n)
        run = _backward_compiled if ctx.usable else _backward
        grads, sums = run(plan, grad.contiguous(), spectrum, matrix, filters, levels, ctx.needs_input_grad[1])
        sums = sums * (2 / plan.n)
        tensors = []
        for slot, rows in enumerate(plan.rows):
            tensors += [grads[1 + slot], sums[list(rows), slot]]
        return None, grads[0], sums[:, MAX_FILTERS:].unflatten(1, (2, 2)), *tensors


def _forward_compiled(
    plan: _Plan, spectrum: Tensor, matrix: Tensor, filters: Sequence[Tensor]
) -> tuple[Tensor, Tensor]:
    from mixgraph.dsp import spectral_kernels

    output = spectrum.new_empty(plan.count, *spectrum.shape[1:])
    sums = torch.zeros(1 + int(plan.tasks[:, 0].max()), len(spectrum), MAX_FILTERS, 2)
    known = *_rows(plan), _reals(spectrum), array(matrix), plan.places, *_stacks(plan, filters, spectrum), plan.modes
    share(spectral_kernels.forward, plan.tasks, *known, _reals(output), array(sums))
    return output, sums.sum(0)


def _backward_compiled(
    plan: _Plan,
    grad: Tensor,
    spectrum: Tensor,
    matrix: Tensor,
    filters: Sequence[Tensor],
    levels: Tensor,
    wants_signal: bool,
) -> tuple[list[Tensor | None], Tensor]:
    from mixgraph.dsp import spectral_kernels

    to_signal = torch.empty_like(spectrum) if wants_signal else None
    to_responses = [torch.empty_like(response) for response in filters[::2]]
    nothing = spectrum[:0, :, :0]
    outcome = [nothing if to_signal is None else to_signal, *to_responses, *[nothing] * MAX_FILTERS]
    sums = torch.zeros(1 + int(plan.tasks[:, 0].max()), len(spectrum), MAX_FILTERS + 4)
    known = _reals(spectrum), array(matrix), plan.places, *_stacks(plan, filters, spectrum), plan.modes, array(levels)
    places = tuple(_reals(tensor) for tensor in outcome[: 1 + MAX_FILTERS])
    share(spectral_kernels.backward, plan.tasks, *_rows(plan), _reals(grad), *known, places, array(sums))
    return [to_signal, *to_responses], sums.sum(0)


def _rows(plan: _Plan) -> tuple[np.ndarray, np.ndarray]:
    return plan.members, plan.offsets


def _stacks(plan: _Plan, filters: Sequence[Tensor], spectrum: Tensor) -> tuple[Any, ...]:
    """Both stacks of responses, empty if there are fewer filters, and the weights `(row, 2)`."""
    weights = torch.zeros(len(spectrum), MAX_FILTERS)
    for slot, rows in enumerate(plan.rows):
        weights[list(rows), slot] = filters[2 * slot + 1].detach()
    stacks = [*filters[::2], *[spectrum[:0, :, :0]] * MAX_FILTERS]
    return *(_reals(stack) for stack in stacks[:MAX_FILTERS]), array(weights)


def _reals(spectrum: Tensor) -> Any:
    return array(torch.view_as_real(spectrum.detach()).flatten(-2))


def _forward(plan: _Plan, spectrum: Tensor, matrix: Tensor, filters: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    signal = _mix(matrix, spectrum)
    sums = matrix.new_zeros(len(spectrum), MAX_FILTERS, 2)
    for slot, (rows, level) in enumerate(zip(plan.rows, plan.levels, strict=True)):
        dry, response, w = signal[list(rows)], filters[2 * slot], filters[2 * slot + 1][:, None, None]
        if level:
            sums[list(rows), slot] = torch.stack([_energy(dry, level), _energy(response * dry, level)], -1)
        signal = signal.index_copy(0, _index(rows, signal), dry * (1 + w * (response - 1)))
    output = torch.zeros_like(spectrum[:1]).repeat(plan.count, 1, 1)
    return output.index_add(0, _index(plan.targets, output), signal), sums


def _backward(
    plan: _Plan,
    grad: Tensor,
    spectrum: Tensor,
    matrix: Tensor,
    filters: Sequence[Tensor],
    levels: Tensor,
    wants_signal: bool,
) -> tuple[list[Tensor | None], Tensor]:
    entered = [_mix(matrix, spectrum)]
    for slot, rows in enumerate(plan.rows):
        response, w = filters[2 * slot], filters[2 * slot + 1][:, None, None]
        passed = entered[-1][list(rows)] * (1 + w * (response - 1))
        entered.append(entered[-1].index_copy(0, _index(rows, grad), passed))
    toward, sums = grad[list(plan.targets)], matrix.new_zeros(len(spectrum), MAX_FILTERS + 4)
    found: list[Tensor | None] = []
    for slot in reversed(range(len(plan.rows))):
        rows, response, w = plan.rows[slot], filters[2 * slot], filters[2 * slot + 1][:, None, None]
        dry, some = entered[slot][list(rows)], toward[list(rows)]
        wet = response * dry
        sums[list(rows), slot] = _sum((some.conj() * (wet - dry)).real).sum(-1)
        mid, of_level = plan.levels[slot] == "mid", levels[list(rows), slot, :, None, None]
        of_wet = w * some + of_level[:, 1] * _observed(wet, mid)
        found.insert(0, (dry.conj() * of_wet).sum_to_size(response.shape))
        some = (1 - w) * some + of_level[:, 0] * _observed(dry, mid) + response.conj() * of_wet
        toward = toward.index_copy(0, _index(rows, toward), some)
    sums[:, MAX_FILTERS:] = _sum((toward[:, :, None].conj() * spectrum[:, None]).real).flatten(1)
    to_signal = _mix(matrix.mT, toward) if wants_signal else None
    return [to_signal, *found], sums


def _mix(matrix: Tensor, spectrum: Tensor) -> Tensor:
    planes = torch.view_as_real(spectrum).flatten(-2)
    return torch.view_as_complex(torch.matmul(matrix, planes).unflatten(-1, (-1, 2)))


def _index(rows: tuple[int, ...], like: Tensor) -> Tensor:
    return torch.tensor(rows, device=like.device)


def _sum(values: Tensor) -> Tensor:
    """The sum over bins, the first and the last one counted half."""
    return values.sum(-1) - (values[..., 0] + values[..., -1]) / 2


def _energy(spectrum: Tensor, level: str) -> Tensor:
    observed = _observed(spectrum, level == "mid")
    return _sum(observed.real.square() + observed.imag.square()).sum(-1)


def _observed(spectrum: Tensor, mid: bool) -> Tensor:
    return spectrum.sum(1, keepdim=True) if mid else spectrum
