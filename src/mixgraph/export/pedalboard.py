"""A Python program that mixes with Spotify's pedalboard: one readable line for each processor."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, Final, final

import numpy as np

from mixgraph.audio.files import read_audio, write_audio
from mixgraph.errors import ConfigError, ResultError
from mixgraph.export.base import EXPORTS, RenderedExport, Source, file_names
from mixgraph.export.devices import SINE_PEAK_DB
from mixgraph.export.fidelity import Fate
from mixgraph.export.fits import fit_dynamics, fit_equalizer
from mixgraph.export.responses import processor_of, response_of, write_response
from mixgraph.files import write_bytes
from mixgraph.processors.equalizer import Equalizer
from mixgraph.processors.knee import KneeProcessor

PROGRAM: Final = "mix.py"
JUCE_LEVEL, JUCE_SILENCE = 0.125, 1e-8
"""JUCE's convolution scales a response to this root of the energy of its louder channel, unless it is silent."""

FILTERS: Final = {"bell": "PeakFilter", "low_shelf": "LowShelfFilter", "high_shelf": "HighShelfFilter"}
HEAD: Final = '''\
"""$title, as mixgraph found it, mixed with pedalboard.

Run: python mix.py TRACKS MIX.wav [--bells]. TRACKS is a folder with an audio file for each track, all starting
together. With --bells, equalisers are the bells and shelves that come near to them, else exact impulse responses.
"""

import sys
from pathlib import Path

import numpy as np
from pedalboard import (
    Compressor, Convolution, Gain, HighShelfFilter, LowShelfFilter, NoiseGate, PeakFilter, Pedalboard,
)
from pedalboard.io import AudioFile

RATE = $rate
HERE = Path(__file__).parent
BELLS = "--bells" in sys.argv


def read(folder, track):
    """A track, stereo, at the rate of the graph."""
    found = sorted(path for path in folder.rglob("*") if path.stem == track and path.suffix != ".json")
    if not found:
        sys.exit(f"{folder}: no file called {track}")
    with AudioFile(str(found[0])) as file, file.resampled_to(RATE) as audio:
        samples = audio.read(int(audio.frames) + 1)
    return samples if len(samples) == 2 else np.repeat(samples[:1], 2, 0)


def total(*signals):
    """Signals added up; the shorter ones end earlier."""
    length = max(signal.shape[1] for signal in signals)
    return sum(np.pad(signal, ((0, 0), (0, length - signal.shape[1]))) for signal in signals)


def plugin(signal, *effects):
    """A signal through effects in a row."""
    return Pedalboard(list(effects))(signal, RATE)


def convolve(signal, file, gain, time_zero=0):
    """An impulse response whose sample `time_zero` is no delay; pedalboard sets its level, `gain` undoes that."""
    padded = np.pad(signal, ((0, 0), (0, time_zero)))
    return gain * plugin(padded, Convolution(str(HERE / "responses" / file), mix=1.0))[:, time_zero:]


def matrix(signal, gains):
    """Gains from channels to channels."""
    return (np.array(gains) @ signal).astype(np.float32)


'''


@final
@EXPORTS.register("pedalboard")
class Pedalboard(RenderedExport):
    """Python program for Spotify's pedalboard: exact but for compressors and gates."""

    needs_song: ClassVar[bool] = False

    def write(self, source: Source, folder: Path) -> list[Fate]:
        (folder / "responses").mkdir()
        fates: list[Fate] = []
        lines = list(_mix(source, folder / "responses", fates))
        head = HEAD.replace("$title", _plain(source.name)).replace("$rate", str(source.sample_rate))
        write_bytes(folder / PROGRAM, (head + "\n".join(lines) + "\n").encode())
        return fates

    def render(self, folder: Path, source: Source) -> tuple[np.ndarray, int]:
        if find_spec("pedalboard") is None:
            raise ConfigError("to run the program needs pedalboard 0.9; pip install 'mixgraph[demo]'")
        with TemporaryDirectory() as work:
            tracks, mix = Path(work, "tracks"), Path(work, "mix.wav")
            tracks.mkdir()
            for name in source.result.tracks:
                write_audio(tracks / f"{name}.wav", source.song.track(name), source.sample_rate)
            command = [sys.executable, str(folder / PROGRAM), str(tracks), str(mix)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise ResultError(f"{folder / PROGRAM} fails: {done.stderr.strip()[-300:]}")
            return read_audio(mix, source.sample_rate), source.sample_rate


def _mix(source: Source, folder: Path, fates: list[Fate]) -> Iterator[str]:
    """The body of the program: nodes in the graph's order."""
    graph = source.result.graph
    files = file_names(node.id for node in graph.processors)
    yield "def mix(tracks):"
    yield '    """The mix of a folder of tracks."""'
    yield "    x = {}"
    for node in graph.order:
        key, before = repr(node.id), [f"x[{id!r}]" for id in graph.predecessors(node.id)]
        if node.source is not None:
            yield f"    x[{key}] = read(tracks, {node.source!r})"
            continue
        fed = before[0] if len(before) == 1 else f"total({', '.join(before)})"
        if not node.is_processor:
            yield f"    x[{key}] = {fed}"
            continue
        yield from _step(source, node.id, key, fed, folder, f"{files[node.id]}.wav", fates)
    yield f"    return x[{graph.output.id!r}]"
    yield from ("", "", 'if __name__ == "__main__":')
    yield "    mixed = mix(Path(sys.argv[1]))"
    yield '    with AudioFile(sys.argv[2], "w", RATE, num_channels=2, bit_depth=32) as file:'
    yield "        file.write(mixed)"


def _step(source: Source, id: str, key: str, fed: str, folder: Path, file: str, fates: list[Fate]) -> Iterator[str]:
    result = source.result
    type, response = result.graph.node(id).type, response_of(result, id)
    processor = processor_of(result, id)
    if isinstance(processor, KneeProcessor):
        fit = fit_dynamics(result, id)
        kind = "Compressor" if processor.sign == 1 else "NoiseGate"
        settings = {"threshold_db": fit.curve.threshold_db + SINE_PEAK_DB, "ratio": fit.curve.ratio}
        settings |= {"attack_ms": fit.times.attack_ms, "release_ms": fit.times.release_ms}
        said = ", ".join(f"{name}={value:.5g}" for name, value in settings.items())
        yield f"    x[{key}] = plugin({fed}, {kind}({said}))"
        how = f"{kind}: static curve over levels, each channel by itself, without the knee's width"
        fates.append(Fate(id, type, "fitted", how, fit.curve.error_db))
        return
    if response is None:
        raise ResultError(f"node '{id}': pedalboard has nothing for a {type}; export another format")
    if response.is_memoryless:
        yield f"    x[{key}] = matrix({fed}, {np.round(response.taps[..., 0], 9).tolist()})"
        fates.append(Fate(id, type, "exact", "gains from channels to channels"))
        return
    if not response.is_diagonal:
        raise ResultError(f"node '{id}': pedalboard convolves channels one by one; export another format")
    short = response.shortened()
    write_response(folder / file, short, source.sample_rate)
    energy = float(np.square(short.taps.astype(np.float32)).sum((1, 2)).max())
    gain = math.sqrt(energy) / JUCE_LEVEL if energy >= JUCE_SILENCE else 1.0
    exact = f"convolve({fed}, {file!r}, {gain:.9g}{f', {short.origin}' if short.origin else ''})"
    how = f"Convolution with responses/{file}"
    if isinstance(processor, Equalizer):
        strip = fit_equalizer(result, id)
        bands = [
            f"{FILTERS[band.shape]}(cutoff_frequency_hz={band.hz:.5g}, gain_db={band.gain_db:.4g}, q={band.q:.4g})"
            for band in strip.bands
        ]
        bells = ", ".join([*bands, f"Gain(gain_db={strip.level_db:.4g})"])
        exact = f"plugin({fed}, {bells}) if BELLS else {exact}"
        how += f"; with --bells {len(bands)} bands, off by {strip.residual_db:.1f} dB"
    yield f"    x[{key}] = {exact}"
    fates.append(Fate(id, type, "exact", how))


def _plain(text: str) -> str:
    """A name that can stand in a docstring."""
    return " ".join(text.replace("\\", "/").replace('"', "'").split())
