"""Ardour: tracks, buses, faders, and every processor as a plugin that computes the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final, final

import numpy as np
import soxr

from mixgraph.audio.files import write_audio
from mixgraph.datasets.names import numbered, safe
from mixgraph.errors import ResultError
from mixgraph.export.ardour_session.plugins import Plugin, convolver, gains, knee
from mixgraph.export.ardour_session.render import render_session
from mixgraph.export.ardour_session.session import MASTER, RESERVED, Strip, session_xml
from mixgraph.export.base import EXPORTS, RenderedExport, Source, file_names
from mixgraph.export.fidelity import Fate
from mixgraph.export.fits import gain_error_db
from mixgraph.export.responses import response_of, write_response
from mixgraph.files import write_bytes
from mixgraph.graph.strands import Strand, node_name, strands

SESSION_RATES: Final = (44_100, 48_000, 88_200, 96_000, 176_400, 192_000)
DEFAULT_RATE: Final = 48_000
LOUDEST: Final = 2.0  # what a fader of Ardour reaches: +6 dB
FOLDERS: Final = ("analysis", "dead", "export", "externals", "peaks", "plugins")
RESPONSES: Final = "impulse-responses"
AT_FADER: Final = "the fader and the panner (stereo balance)"


@final
@EXPORTS.register("ardour")
class Ardour(RenderedExport):
    """An Ardour session (7 or newer): tracks, buses, faders, plugins with knobs.

    Plugins are Lua scripts inside the session, so nothing needs to be installed; convolvers load the WAV files beside
    it. A working rate that sessions do not have becomes a higher one: tracks and responses are resampled, and hold
    what the result was found on, up to half of the working rate; what that does to the gain of dynamics is measured.
    """

    needs_song: ClassVar[bool] = True

    def write(self, source: Source, folder: Path) -> list[Fate]:
        graph, rate, title = source.result.graph, session_rate(source.sample_rate), safe(source.name) or "session"
        audio = folder / "interchange" / title / "audiofiles"
        for place in (audio, *(folder / name for name in (RESPONSES, *FOLDERS))):
            place.mkdir(parents=True)
        rows, strips, fates = strands(graph), [Strip(MASTER)], dict[str, Fate]()
        wanted = [safe(node_name(graph, row.head)) or "unnamed" for row in rows]
        names = dict(zip((row.head for row in rows), numbered([*RESERVED, *wanted])[len(RESERVED) :], strict=True))
        names[graph.output.id] = MASTER
        samples = -(-source.song.samples * rate // source.sample_rate)
        for row in rows:
            if len(set(row.feeds)) < len(row.feeds):
                raise ResultError(f"node '{row.end}' feeds another one twice, which no strip can; remove one edge")
            name, feeds = names[row.head], tuple(names[end] for end in row.feeds)
            strips.append(_strip(source, folder, row, name, feeds, fates))
            if (track := graph.node(row.head).source) is not None:
                signal = source.song.track(track)
                if rate != source.sample_rate:
                    signal = soxr.resample(signal.T, source.sample_rate, rate, quality="VHQ").T
                write_audio(audio / f"{name}.wav", signal[:, :samples], rate)
        write_bytes(folder / f"{title}.ardour", session_xml(title, rate, samples, strips).encode())
        if rate != source.sample_rate:
            fates |= _at_another_rate(source, rate)
        return [fates[node.id] for node in graph.processors]

    def render(self, folder: Path, source: Source) -> tuple[np.ndarray, int]:
        return render_session(folder)


def session_rate(sample_rate: int) -> int:
    """The sample rate of a session for a result that works at another: its own, or one that holds it."""
    if sample_rate in SESSION_RATES:
        return sample_rate
    return next((rate for rate in SESSION_RATES[1:] if rate > sample_rate), SESSION_RATES[-1])


def _strip(
    source: Source, folder: Path, row: Strand, name: str, feeds: tuple[str, ...], fates: dict[str, Fate]
) -> Strip:
    """The strand as plugins, and its last gains as fader and balance; notes what becomes of each processor."""
    at_fader, (left, right) = _at_fader(source, row.processors)
    plugins = []
    for id in row.processors:
        how = AT_FADER
        if id not in at_fader:
            plugin, how = _plugin(source, folder, id)
            plugins.append(plugin)
        fates[id] = Fate(id, source.result.graph.node(id).type, "exact", how)
    loud = max(left, right)
    balance = right / loud / 2 if right < left else 1 - left / loud / 2
    is_track = source.result.graph.node(row.head).source is not None
    return Strip(name, is_track, tuple(plugins), loud, balance, feeds)


def _at_fader(source: Source, ids: Sequence[str]) -> tuple[tuple[str, ...], tuple[float, float]]:
    """Gains behind which nothing is that would hear the difference, and their product for left and right."""
    found, product = [], (1.0, 1.0)
    for id in reversed(ids):
        response = response_of(source.result, id)
        if response is None or not response.is_diagonal:
            break
        if response.is_memoryless:
            left, right = product[0] * response.taps[0, 0, 0], product[1] * response.taps[1, 1, 0]
            if min(left, right) > 0 and max(left, right) <= LOUDEST:
                found, product = [*found, id], (float(left), float(right))
    return tuple(found), product


def _plugin(source: Source, folder: Path, id: str) -> tuple[Plugin, str]:
    """The plugin for a processor, and how it does what that does."""
    result, rate = source.result, session_rate(source.sample_rate)
    title = result.graph.node(id).type.replace("_", " ").capitalize()
    response = response_of(result, id)
    if response is None:
        return knee(result, id, title), "a plugin with the same envelope, curve and dry share"
    summary = result.processors[result.graph.node(id).type].summary(result.physical()[id])
    about = summary.replace("]]", "] ]")
    if response.is_memoryless and (made := gains(title, about, response)):
        return made, "a plugin of gains, dry share folded in"
    file = f"{RESPONSES}/{file_names(node.id for node in result.graph.processors)[id]}.wav"
    response = response.resampled(source.sample_rate, rate).shortened()
    write_response(folder / file, response, rate)
    return convolver(title, about, file, response.origin), f"a convolver with {file}, dry share in it"


def _at_another_rate(source: Source, rate: int) -> dict[str, Fate]:
    """Compressors and gates, whose envelopes are not quite the same at the session's rate."""
    graph, found = source.result.graph, {}
    dynamic = [node for node in graph.processors if response_of(source.result, node.id) is None]
    signals = source.signals({before for node in dynamic for before in graph.predecessors(node.id)}) if dynamic else {}
    for node in dynamic:
        heard = np.sum([signals[before] for before in graph.predecessors(node.id)], axis=0)
        error = gain_error_db(source.result, node.id, heard, rate)
        how = f"a plugin with the same envelope, curve and dry share at {rate} Hz; error of its gain on this song"
        found[node.id] = Fate(node.id, node.type, "fitted", how, error)
    return found
