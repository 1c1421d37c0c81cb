"""One synthetic song on disk: a song folder in our own format, with the true graph beside it as a result folder.

ID/
  song.toml, tracks/*.flac, mix.flac   24 bit at the working rate
  LICENSE                              what holds for the dry tracks
  truth/                               the true graph, in the form of a result without history and audio
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from mixgraph.audio.files import write_audio
from mixgraph.audio.song import Song, load_song
from mixgraph.audio.song_file import Layout
from mixgraph.audio.song_toml import write_song_toml
from mixgraph.console import build_console
from mixgraph.corpus.synthetic.excerpt import Excerpt
from mixgraph.corpus.synthetic.truth import Truth
from mixgraph.datasets.base import Entry
from mixgraph.files import write_bytes
from mixgraph.fit.evaluate import evaluate, evaluation_starts
from mixgraph.fit.problem import Problem
from mixgraph.processors.bank import ParameterBank
from mixgraph.result.result import Result
from mixgraph.run.api import provenance_of
from mixgraph.run.search import count_processors, pruning_ratio

TRUTH: Final = "truth"
FADE_SECONDS: Final = 0.01


def write_dry(folder: Path, source: Song, entry: Entry, excerpt: Excerpt) -> Song:
    """Writes everything but the mix and the truth into an empty folder; returns what it loads as.

    The tracks fade in and out, so that the cut does not click, and are softer where resampling took them over full
    scale: what is written is dry by definition.
    """
    (folder / "tracks").mkdir()
    for name in excerpt.tracks:
        signal = source.track_segment(excerpt.start, excerpt.samples, [name])[0] * _fades(excerpt.samples, source)
        signal /= max(1.0, float(np.abs(signal).max()))
        is_mono = np.array_equal(signal[0], signal[1])
        write_audio(folder / "tracks" / f"{name}.flac", signal[:1] if is_mono else signal, source.sample_rate)
    groups = {group: [name for name in names if name in excerpt.tracks] for group, names in source.subgroups.items()}
    # One name for all songs of a source: corpora split by name where they know no artist.
    about = {"name": entry.title or entry.id, "mix": "mix.flac", "tracks": "tracks"}
    write_song_toml(folder, about | {"subgroups": {group: names for group, names in groups.items() if names}})
    by = f" by {entry.artist}" if entry.artist else ""
    write_bytes(folder / "LICENSE", f"{entry.licence}\n\nDry tracks: from {entry.title}{by} ({entry.id}).\n".encode())
    return load_song(folder, sample_rate=source.sample_rate, require_mix=False)


def write_truth(folder: Path, home: Path, truth: Truth, facts: dict[str, Any]) -> Result:
    """Writes the mix and `truth/`; `home` is where the folder will lie, and `facts` goes into the provenance."""
    write_audio(folder / "mix.flac", truth.mix, truth.result.config.audio.sample_rate)
    with load_song(folder, sample_rate=truth.result.config.audio.sample_rate) as song:
        metrics = _metrics(truth, song)
        provenance = provenance_of(song, truth.result.config, torch.device("cpu"))
        layout = Layout.from_json(song.layout.to_json(), home.absolute()).to_json()
    provenance |= {"song_folder": str(home.absolute()), "layout": layout, "synthetic": facts}
    result = Result(truth.result.graph, truth.result.bank, truth.result.config, metrics, provenance)
    (folder / TRUTH).mkdir()
    result.save(folder / TRUTH)
    return result


def _metrics(truth: Truth, song: Song) -> dict[str, Any]:
    """What a search says of its result, measured on the written mix, as far as there was anything to measure.

    The loss of the truth is not zero: segments do not hear the tails of what was before them.
    """
    config, graph, bank = truth.result.config, truth.result.graph, truth.result.bank
    problem = Problem(song, config, torch.device("cpu"))
    starts = evaluation_starts(problem)
    plain = evaluate(problem, build_console(song.tracks, {}, ()), ParameterBank({}, {}), starts).to_json()
    true = evaluate(problem, graph, bank, starts).to_json()
    without = {kind: evaluate(problem, graph.without(ids), bank, starts).to_json() for kind, ids in bank.ids.items()}
    initial, kept = count_processors(truth.console), count_processors(graph)
    return {
        "loss": {"plain_sum": plain, "console": true, "pruned": true, "without_type": without},
        "bypass": dict(truth.costs),
        "processors": {"initial": initial, "kept": kept},
        "pruning_ratio": pruning_ratio(initial, kept),
        "segments": len(starts),
    }


def _fades(samples: int, song: Song) -> np.ndarray:
    """A gain `(samples,)` that rises and falls over `FADE_SECONDS`."""
    steps = np.arange(samples, dtype=np.float32) / max(1, round(FADE_SECONDS * song.sample_rate))
    return np.minimum(1, np.minimum(steps, steps[::-1]))
