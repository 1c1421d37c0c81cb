"""The signals of a stage, as samples or as spectra: each is computed from the other when it is first asked for."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from mixgraph.dsp.spectral import to_signal, to_spectrum
from mixgraph.render.plan import Part, Stage


class Forms:
    """Signals `(node, 2, time)` of `length` samples, or their spectra at FFT length `n`, tails included; give one."""

    def __init__(self, n: int, length: int, *, signal: Tensor | None = None, spectrum: Tensor | None = None) -> None:
        self.n = n
        self.length = length
        self._signal = signal
        self._spectrum = spectrum

    @property
    def is_spectrum(self) -> bool:
        """Whether no samples have been computed."""
        return self._signal is None

    @property
    def signal(self) -> Tensor:
        """The samples; tails are cut off."""
        if self._signal is None:
            self._signal = to_signal(self.spectrum, self.n, self.length)
        return self._signal

    @property
    def spectrum(self) -> Tensor:
        """The spectra `(node, 2, n // 2 + 1)`."""
        if self._spectrum is None:
            self._spectrum = to_spectrum(self.signal, self.n)
        return self._spectrum

    def with_signal(self, signal: Tensor) -> Forms:
        """Other samples, same lengths."""
        return Forms(self.n, self.length, signal=signal)

    def with_spectrum(self, spectrum: Tensor) -> Forms:
        """Other spectra, same lengths."""
        return Forms(self.n, self.length, spectrum=spectrum)


def gather(stage: Stage, outputs: Mapping[int, Forms]) -> Forms:
    """The inputs of a stage: rows of earlier stages put one after the other, or added up in the form they have."""
    like = outputs[stage.parts[0].stage]
    if stage.stacked:
        if all(outputs[part.stage].is_spectrum for part in stage.parts):
            return like.with_spectrum(
                _join([take_rows(outputs[part.stage].spectrum, part.rows) for part in stage.parts])
            )
        return like.with_signal(_join([take_rows(outputs[part.stage].signal, part.rows) for part in stage.parts]))
    spectra = [part for part in stage.parts if outputs[part.stage].is_spectrum]
    samples = [part for part in stage.parts if not outputs[part.stage].is_spectrum]
    total = None
    if spectra:
        planes = [torch.view_as_real(outputs[part.stage].spectrum) for part in spectra]
        summed = like.with_spectrum(torch.view_as_complex(_add_up(len(stage.ids), spectra, planes)))
        if not samples:
            return summed
        total = summed.signal
    return like.with_signal(_add_up(len(stage.ids), samples, [outputs[part.stage].signal for part in samples], total))


def take_rows(signal: Tensor, rows: tuple[int, ...]) -> Tensor:
    """Rows in the order asked for; a view where they follow one another."""
    if rows == tuple(range(rows[0], rows[0] + len(rows))):
        return signal.narrow(0, rows[0], len(rows))
    return signal.index_select(0, torch.tensor(rows, device=signal.device))


def _join(pieces: list[Tensor]) -> Tensor:
    return pieces[0] if len(pieces) == 1 else torch.cat(pieces)


def _add_up(count: int, parts: list[Part], outputs: list[Tensor], total: Tensor | None = None) -> Tensor:
    if total is None:
        total = outputs[0].new_zeros((count, *outputs[0].shape[1:]))
    for part, output in zip(parts, outputs, strict=True):
        total = total.index_add(0, torch.tensor(part.targets, device=output.device), take_rows(output, part.rows))
    return total
