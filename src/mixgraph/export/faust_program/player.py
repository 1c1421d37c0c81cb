"""Compiles and plays an exported program with DawDreamer, which brings the compiler of Faust."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Final

import numpy as np

from mixgraph.errors import ConfigError, ResultError

BLOCK: Final = 512
LATENCY: Final = 'declare latency_samples "'


def play_program(path: Path, tracks: np.ndarray, sample_rate: int) -> np.ndarray:
    """What a program makes of `tracks (2 * tracks, samples)`, float32 `(2, samples)`, its latency taken away.

    Raises `ConfigError` where DawDreamer is not installed, `ResultError` where the program does not compile.
    """
    try:
        dawdreamer = import_module("dawdreamer")
    except ImportError as error:
        raise ConfigError(f"to play Faust needs DawDreamer ({error}); pip install dawdreamer") from None
    program = path.read_text(encoding="utf-8")
    late = int(program.partition(LATENCY)[2].partition('"')[0])
    engine = dawdreamer.RenderEngine(sample_rate, BLOCK)
    source = engine.make_playback_processor("tracks", np.pad(tracks, ((0, 0), (0, late))))
    faust = engine.make_faust_processor("graph")
    if not (faust.set_dsp_string(program) and faust.compile()):
        raise ResultError(f"{path}: DawDreamer does not compile it; export it again")
    engine.load_graph([(source, []), (faust, ["tracks"])])
    samples = tracks.shape[1]
    engine.render((samples + late + BLOCK) / sample_rate)
    return engine.get_audio()[:2, late : late + samples]
