"""The sections of a page as data for its templates: what is said, in which order, in which units."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from mixgraph.audio.song import Song
from mixgraph.dsp.units import number
from mixgraph.processors.base import PROCESSORS
from mixgraph.report import figures, spectrogram
from mixgraph.report.charts import clock
from mixgraph.report.graph_view import style_of
from mixgraph.report.match import Match
from mixgraph.report.recipe import type_title
from mixgraph.report.search_history import trace_of
from mixgraph.report.sounds import ESTIMATE, ORIGINAL, Sound, waveforms
from mixgraph.report.soundtrack import Soundtrack
from mixgraph.result.result import Result

Context = dict[str, Any]
PAIRS: Final = (("Mid", 1.0), ("Side", -1.0))
STAGES: Final = {"plain_sum": "Plain sum", "console": "Full console", "pruned": "Found graph"}
PARTS: Final = {"left_right": "Left, right", "mid": "Mid", "side": "Side"}


def header(result: Result, song: Song) -> Context:
    """Name, one sentence, and the numbers that matter."""
    before, after = (_loss(result, stage) for stage in ("plain_sum", "pruned"))
    known = math.isfinite(before) and math.isfinite(after)
    kept, initial = (result.metrics["processors"][when]["total"] for when in ("kept", "initial"))
    seconds = song.samples / song.sample_rate
    change = f"{number(100 * (after / before - 1), 0, sign=True)} %" if known and before else ""
    facts = [
        *([("Loss", f"{number(before, 3)} → {number(after, 3)}", change)] if known else ()),
        ("Processors", f"{kept} of {initial}", f"{number(100 * result.metrics['pruning_ratio']['total'], 0)} % pruned"),
        ("Tracks", str(len(result.tracks)), ""),
        ("Length", clock(seconds), ""),
        ("Works at", f"{song.sample_rate / 1_000:.4g} kHz", ""),
    ]
    few = {0: "No processor", 1: "One processor"}.get(kept, f"{kept} processors")
    lead = f"{few} of {initial} take the dry tracks of this song near to its mix."
    if applied := result.provenance.get("applied"):
        lead = f"{few}, found on “{applied['song']}”, on the dry tracks of this song."
    return {"song": song.name, "lead": lead, "facts": facts, "duration": clock(seconds), "seconds": seconds}


def types(result: Result) -> list[Context]:
    """The legend: every type of the console, in its order, and how many were kept."""
    kept, initial = (result.metrics["processors"][when].get("by_type", {}) for when in ("kept", "initial"))
    letters = {cls.letter: name for name, cls in PROCESSORS.items()}
    names = [letters[letter] for letter in result.config.console.chain if letter in letters]
    names += [node.type for node in result.graph.processors]
    return [
        {
            "style": style_of(name),
            "letter": PROCESSORS[name].letter.upper(),
            "title": type_title(name),
            "kept": kept.get(name, 0),
            "initial": initial.get(name, 0),
        }
        for name in dict.fromkeys(names)
    ]


def listening(sounds: tuple[Sound, ...]) -> list[Context]:
    """What can be heard, its loudness, and its waveform."""
    paths = waveforms(sounds)
    return [
        {
            "key": sound.key,
            "title": sound.title,
            "about": f"{sound.about}; {loudness_text(sound.lufs)}",
            "gain_db": sound.gain_db,
            "waveform": paths[sound.key],
        }
        for sound in sounds
    ]


def matching(result: Result, match: Match, sounds: tuple[Sound, ...], rate: int) -> Context:
    """Losses, charts over time and band, spectrograms. `sounds` has an original."""
    rows = [
        {"title": title, "losses": [number(_loss(result, stage, part), 3) for part in (None, *PARTS)]}
        for stage, title in STAGES.items()
        if stage in result.metrics["loss"]
    ]
    seconds = sounds[0].signal.shape[-1] / rate
    charts = (
        figures.loss_over_time(match, seconds),
        figures.channels_over_time(match, seconds),
        figures.error_per_band(match),
        figures.loudness_over_time(sounds, rate),
        figures.width_over_time(sounds, rate),
    )
    return {
        "columns": ["Total", *PARTS.values()],
        "rows": rows,
        "figures": [chart for chart in charts if chart],
        "pictures": _pictures({sound.key: sound.signal for sound in sounds}, rate),
        "scales": _scales(),
        "highest": f"{rate / 2_000:.4g} kHz",
    }


def searching(result: Result, history: Sequence[Mapping[str, Any]]) -> Context | None:
    """How the search went; None where its history is not known."""
    trace = trace_of(history, result.metrics["processors"]["initial"]["total"])
    if trace is None:
        return None
    metrics, prune = result.metrics, result.config.prune
    took = f" in {number(metrics['seconds'] / 60)} minutes" if "seconds" in metrics else ""
    tried = f" and {metrics['trials']} trials" if "trials" in metrics else ""
    note = (
        f"{len(trace.loss)} training steps{tried}{took}; strategy “{prune.strategy}”, a trial may cost"
        f" {prune.tolerance:g} of loss. Each step hears one segment, so single steps scatter."
    )
    return {"note": note, "figures": [figures.search_loss(trace), figures.search_processors(trace)]}


def about(result: Result, soundtrack: Soundtrack, mixer: bool) -> Context:
    """What is in the file, how it was made, and where to be careful."""
    provenance, versions = result.provenance, result.provenance.get("versions", {})
    rate = result.config.audio.sample_rate
    tracks = f", {soundtrack.track_kbps} kbit/s per channel for the dry tracks" if mixer else ""
    highest = f"{rate / 2_000:.4g}"
    lines = [
        f"Sound is inside this file as Opus: {soundtrack.mix_kbps} kbit/s per channel for the mixes{tracks}. It is"
        f" played at {rate / 1_000:.4g} kHz, the rate of the search: nothing above {highest} kHz is heard.",
        "Switching is sample-aligned and level-matched to the original’s integrated loudness (ITU-R BS.1770); the"
        " residual keeps its own level.",
    ]
    if mixer:
        lines.append(
            "“Your mix” is computed while you listen, from the dry tracks in this file: with nothing muted or bypassed"
            " it is the estimate, but for what Opus leaves out."
        )
    lines.append("The file needs no network and loads nothing; it can be kept, mailed and printed.")
    said = {
        "Method": "Lee et al., Searching for Music Mixing Graphs: A Pruning Approach, DAFx 2024",
        "mixgraph": versions.get("mixgraph", "unknown"),
        "PyTorch": versions.get("torch", "unknown"),
        "Seed": provenance.get("seed", "unknown"),
        "Device": provenance.get("device", "unknown"),
        "Console chain": result.config.console.chain,
        "Convention of the loss": result.config.loss.convergence,
        "Song folder": provenance.get("song_folder") or "none",
    }
    return {"lines": lines, "provenance": list(said.items()), "version": versions.get("mixgraph", "unknown")}


def loudness_text(lufs: float) -> str:
    """Such as `−14.2 LUFS`."""
    return f"{number(lufs)} LUFS" if np.isfinite(lufs) else "silent"


def _loss(result: Result, stage: str, part: str | None = None) -> float:
    losses = result.metrics["loss"].get(stage, {})
    if part:
        losses = losses.get("channels", {}).get(part, {})
    return losses.get(result.config.loss.convergence, float("nan"))


def _pictures(signals: Mapping[str, np.ndarray], rate: int) -> list[Context]:
    pictures = []
    for name, sign in PAIRS:
        target, estimate = (
            spectrogram.mel_db((signals[key][0] + sign * signals[key][1]) / 2, rate) for key in (ORIGINAL, ESTIMATE)
        )
        top = float(target.max())
        uris = {
            "original": spectrogram.level_picture(target, top),
            "estimate": spectrogram.level_picture(estimate, top),
            "error": spectrogram.error_picture(estimate, target, top),
        }
        pictures += [
            {"title": f"{name}, {what}", "uri": uri, "alt": f"Spectrogram of the {name.lower()} signal: {what}"}
            for what, uri in uris.items()
        ]
    return pictures


def _scales() -> list[Context]:
    span, error = number(-spectrogram.RANGE_DB, 0), spectrogram.ERROR_DB
    return [
        {
            "uri": spectrogram.scale_picture(spectrogram.LEVEL_COLORS),
            "low": f"{span} dB",
            "middle": "level",
            "high": "loudest",
        },
        {
            "uri": spectrogram.scale_picture(spectrogram.ERROR_COLORS),
            "low": f"{number(-error, 0)} dB, estimate too quiet",
            "middle": "error",
            "high": f"{number(error, 0, sign=True)} dB, too loud",
        },
    ]
