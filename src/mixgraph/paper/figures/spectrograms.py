"""Figure 7: mid and side spectrograms of a target, of what console and pruned graph make of it, and their errors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mixgraph.dsp.mel import mel_bank
from mixgraph.dsp.spectrum import stereo_magnitudes
from mixgraph.errors import ConfigError
from mixgraph.paper.studies import Study, consoles_of, pruned_of

SECONDS = 12.0
FFT_SIZE = 2_048
BANDS = 128
RANGE_DB = 70.0
ERROR_DB = 15.0


def draw(studies: Sequence[Study]) -> Figure:
    """Of the first song that has a fitted full console and a pruned graph: its middle twelve seconds."""
    consoles = consoles_of(studies)
    both = [(consoles[study.song], study) for study in pruned_of(studies) if study.song in consoles]
    if not both:
        raise ConfigError("no results for it: a search with pruning and a fit of the full console of one song")
    console, pruned = min(both, key=lambda pair: pair[1].song)
    with pruned.load_song() as song:
        rate = song.sample_rate
        length = min(song.samples, round(SECONDS * rate))
        first = (song.samples - length) // 2
        signals = {"target": song.mix(), "full console": console.result.render(song)}
        signals["pruned graph"] = pruned.result.render(song)
    spectra = {name: _mid_side_db(signal[:, first : first + length], rate) for name, signal in signals.items()}
    figure = Figure(figsize=(13, 4.6), layout="constrained")
    axes = figure.subplots(2, 5, sharex=True, sharey=True)
    for row, channel in enumerate(("mid", "side")):
        target = spectra["target"][row]
        floor = target.max() - RANGE_DB  # what is below is black, and no error
        for ax, (name, spectrum) in zip(axes[row], spectra.items(), strict=False):
            levels = _show(ax, spectrum[row], length / rate, (floor, target.max()), "magma")
            ax.set_title(f"{name}, {channel}", fontsize="medium")
        for ax, name in zip(axes[row, 3:], ("full console", "pruned graph"), strict=True):
            errors = _show(
                ax, spectra[name][row].clip(floor) - target.clip(floor), length / rate, (-ERROR_DB, ERROR_DB), "RdBu_r"
            )
            ax.set_title(f"error: {name}, {channel}", fontsize="medium")
        figure.colorbar(levels, ax=list(axes[row, :3]), label="dB", pad=0.01)
        figure.colorbar(errors, ax=list(axes[row, 3:]), label="dB", pad=0.01)
        axes[row, 0].set_ylabel("mel band")
    for ax in axes[-1]:
        ax.set_xlabel("seconds")
    figure.suptitle(f"{pruned.song}, {length / rate:.0f} s")
    return figure


def _mid_side_db(signal: np.ndarray, rate: int) -> np.ndarray:
    """Mel spectra in dB of mid and side, `(2, band, frame)`."""
    bank = torch.tensor(mel_bank(rate, FFT_SIZE, BANDS).T, dtype=torch.float32)
    window = torch.hann_window(FFT_SIZE)
    magnitudes = stereo_magnitudes(torch.from_numpy(signal), window, 1e-8) @ bank
    return (20 * torch.log10(magnitudes[2:].clamp(min=1e-6))).mT.numpy()


def _show(ax: Axes, values: np.ndarray, seconds: float, limits: tuple[float, float], colors: str):
    extent = (0, seconds, 0, len(values))
    return ax.imshow(values, origin="lower", aspect="auto", extent=extent, vmin=limits[0], vmax=limits[1], cmap=colors)
