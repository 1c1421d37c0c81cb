"""The signals of a stage as they stand: samples or spectra, and what is still to be done to them.

Linear processors are noted and not computed, until somebody asks for what they make: then a whole run of them is
computed at once, together with the sum that it ends in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mixgraph.dsp.level import LevelPair
from mixgraph.dsp.spectral import to_signal, to_spectrum
from mixgraph.dsp.spectral_run import MAX_FILTERS, Filter, apply_run
from mixgraph.graph.node import SUM_TYPES
from mixgraph.render.plan import Part, Stage


@dataclass(frozen=True)
class Link:
    """A filter to be applied: the stage it belongs to, the node of each row (None: not in this row), its making.

    `make` gives response, weight and observed level of some nodes; `seen` is told their levels.
    """

    stage: int
    ids: tuple[str | None, ...]
    make: Callable[[tuple[str, ...], tuple[int, ...]], Filter]
    seen: Callable[[LevelPair], None]

    def filter(self) -> Filter:
        """The filter of the rows that have one."""
        rows = tuple(row for row, name in enumerate(self.ids) if name is not None)
        return self.make(tuple(name for name in self.ids if name is not None), rows)


@dataclass(frozen=True)
class Forms:
    """Signals of `length` samples: `base` are samples `(row, 2, time)` or spectra at FFT length `n`, tails included.

    `matrix (row, 2, 2)` and after it `links` are still to be applied.
    """

    n: int
    length: int
    base: Tensor
    matrix: Tensor | None = None
    links: tuple[Link, ...] = ()

    @property
    def is_spectrum(self) -> bool:
        """Whether samples take an inverse FFT."""
        return self.base.is_complex() or bool(self.links)

    @property
    def signal(self) -> Tensor:
        """The samples `(row, 2, time)`; tails are cut off."""
        if not self.is_spectrum:
            return self.base if self.matrix is None else torch.matmul(self.matrix, self.base)
        filtered = [row for row in range(len(self.base)) if any(link.ids[row] for link in self.links)]
        if self.base.is_complex() or len(filtered) == len(self.base):
            return to_signal(self.spectrum, self.n, self.length)
        # Rows that no filter meets are samples still, and stay what they are alone.
        order = filtered + [row for row in range(len(self.base)) if row not in filtered]
        parts = (tuple(order[: len(filtered)]), tuple(order[len(filtered) :]))
        joined = torch.cat([self.rows(part).signal for part in parts])
        return take_rows(joined, tuple(sorted(range(len(order)), key=order.__getitem__)))

    @property
    def spectrum(self) -> Tensor:
        """The spectra `(row, 2, n // 2 + 1)`."""
        if self.base.is_complex() and self.matrix is None and not self.links:
            return self.base
        return self.sum(range(len(self.base)), len(self.base))

    def sum(self, targets: Sequence[int], count: int) -> Tensor:
        """Spectra `(count, 2, n // 2 + 1)`: each row is added to the one of its target."""
        filters = [link.filter() for link in self.links]
        base = self.base if self.base.is_complex() else to_spectrum(self.base, self.n)
        output, levels = apply_run(base, self.matrix, filters, targets, count, n=self.n, length=self.length)
        for link, pair in zip(self.links, levels, strict=True):
            if pair is not None:
                link.seen(pair)
        return output

    def with_base(self, base: Tensor) -> Forms:
        """Other samples or spectra, nothing left to be done to them."""
        return replace(self, base=base, matrix=None, links=())

    def ready(self) -> Forms:
        """The same with nothing left to be done."""
        return self.with_base(self.spectrum if self.is_spectrum else self.signal)

    def mixed(self, matrix: Tensor) -> Forms:
        """Channels mixed by `(row, 2, 2)`."""
        if self.links:
            return self.ready().mixed(matrix)
        return replace(self, matrix=matrix if self.matrix is None else torch.matmul(matrix, self.matrix))

    def linked(self, link: Link) -> Forms:
        """With one more filter."""
        if len(self.links) == MAX_FILTERS:
            return self.ready().linked(link)
        return replace(self, links=(*self.links, link))

    def rows(self, rows: tuple[int, ...]) -> Forms:
        """Some rows, in the order asked for."""
        if rows == tuple(range(len(self.base))):
            return self
        links = tuple(replace(link, ids=tuple(link.ids[row] for row in rows)) for link in self.links)
        matrix = None if self.matrix is None else take_rows(self.matrix, rows)
        links = tuple(link for link in links if any(link.ids))
        return replace(self, base=take_rows(self.base, rows), matrix=matrix, links=links)


def gather(stage: Stage, outputs: Mapping[int, Forms], heard: Mapping[int, Mapping[int, Tensor]]) -> Forms:
    """The inputs of a stage: rows of earlier stages put one after the other, or added up.

    Samples that are in `heard`, by stage and row, are not computed again for a sum.
    """

    def part_of(part: Part) -> Forms:
        forms, known = outputs[part.stage], heard.get(part.stage, {})
        if (stage.stacked and stage.type not in SUM_TYPES) or not all(row in known for row in part.rows):
            return forms.rows(part.rows)
        return forms.with_base(torch.stack([known[row] for row in part.rows]))

    parts = [part_of(part) for part in stage.parts]
    if stage.stacked:
        return _stack(parts)
    spectral = [at for at, part in enumerate(parts) if part.is_spectrum]
    others = [at for at, part in enumerate(parts) if not part.is_spectrum]

    def targets(chosen: list[int]) -> list[int]:
        return [target for at in chosen for target in stage.parts[at].targets]

    total = None
    if spectral:
        forms = _stack([parts[at] for at in spectral])
        total = forms.with_base(forms.sum(targets(spectral), len(stage.ids)))
        if not others:
            return total
    forms = _stack([parts[at] for at in others])
    signal = total.signal if total else forms.base.new_zeros((len(stage.ids), *forms.base.shape[1:]))
    # By name: what is added first must not depend on which signals are computed and which were kept.
    ids = [name for at in others for name in stage.parts[at].ids]
    order = sorted(range(len(ids)), key=ids.__getitem__)
    index = torch.tensor([targets(others)[place] for place in order], device=signal.device)
    return forms.with_base(signal.index_add(0, index, take_rows(forms.signal, tuple(order))))


def take_rows(signal: Tensor, rows: tuple[int, ...]) -> Tensor:
    """Rows in the order asked for; a view where they follow one another."""
    if rows == tuple(range(rows[0], rows[0] + len(rows))):
        return signal.narrow(0, rows[0], len(rows))
    return signal.index_select(0, torch.tensor(rows, device=signal.device))


def _stack(parts: list[Forms]) -> Forms:
    """Rows of several, one after the other: in the form that all have, else as samples, which are shorter."""
    if len(parts) == 1:
        return parts[0]
    stages = sorted({link.stage for part in parts for link in part.links})
    if len(stages) > MAX_FILTERS or len({part.base.is_complex() for part in parts}) > 1:
        ready = [part.ready() for part in parts]
        alike = all(part.is_spectrum for part in ready)
        parts, stages = [part if alike else replace(part, base=part.signal) for part in ready], []
    matrix = None
    if any(part.matrix is not None for part in parts):
        one = torch.eye(2, dtype=parts[0].base.real.dtype, device=parts[0].base.device)
        matrix = torch.cat([one.expand(len(part.base), 2, 2) if part.matrix is None else part.matrix for part in parts])
    links = tuple(_join([_link(part, stage) for part in parts], [len(part.base) for part in parts]) for stage in stages)
    return replace(parts[0], base=torch.cat([part.base for part in parts]), matrix=matrix, links=links)


def _link(part: Forms, stage: int) -> Link | None:
    return next((link for link in part.links if link.stage == stage), None)


def _join(links: list[Link | None], counts: list[int]) -> Link:
    """One link of the rows of all; some parts may have none."""
    ids = [name for link, count in zip(links, counts, strict=True) for name in (link.ids if link else [None] * count)]
    return replace(next(link for link in links if link), ids=tuple(ids))
