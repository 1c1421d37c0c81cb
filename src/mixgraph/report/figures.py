"""The charts of the whole song and of the search."""

from __future__ import annotations

from typing import Final

import numpy as np

from mixgraph.audio.loudness import Curve, short_term_lufs, width_db
from mixgraph.report.charts import Chart, Mark, frequency_axis, linear_axis, time_axis
from mixgraph.report.match import PARTS, Match
from mixgraph.report.search_history import Trace
from mixgraph.report.sounds import RESIDUAL, Sound

PART_TITLES: Final = {"left_right": "left, right", "mid": "mid", "side": "side"}


def loss_over_time(match: Match, seconds: float) -> Chart:
    """The loss of plain sum and found mix, segment by segment."""
    plain, found = (match.losses[mix][:, 0] for mix in ("plain_sum", "pruned"))
    return _losses("Loss over time", match, seconds, [("behind", plain, "plain sum"), ("estimate", found, "estimate")])


def channels_over_time(match: Match, seconds: float) -> Chart:
    """The found mix's loss per channel, segment by segment."""
    rows = [(part, match.losses["pruned"][:, PARTS.index(part)], title) for part, title in PART_TITLES.items()]
    return _losses("Loss of the estimate per channel", match, seconds, rows)


def _losses(title: str, match: Match, seconds: float, rows: list[tuple[str, np.ndarray, str]]) -> Chart:
    x = np.append(match.seconds, match.end_seconds)
    highest = max(float(values.max()) for _, values, _ in rows)
    marks = tuple(Mark("steps", style, x, np.append(values, values[-1]), text) for style, values, text in rows)
    return Chart(title, time_axis(seconds), linear_axis("loss", 0, highest, ticks=4), marks, "wide", seek=True)


def error_per_band(match: Match) -> Chart:
    """How far the levels of mel bands are off, on average over time."""
    inside = match.bands_hz >= 40
    x = frequency_axis(40, float(match.bands_hz[-1]))
    marks = [
        Mark("line", "behind", match.bands_hz[inside], match.errors_db["plain_sum"][0][inside], "plain sum, mid"),
        Mark("line", "mid", match.bands_hz[inside], match.errors_db["pruned"][0][inside], "estimate, mid"),
        Mark("line", "side", match.bands_hz[inside], match.errors_db["pruned"][1][inside], "estimate, side"),
    ]
    highest = max(float(np.max(mark.y)) for mark in marks)
    return Chart("Error per band", x, linear_axis("mean error, dB", 0, highest, ticks=4), tuple(marks), "wide")


def loudness_over_time(sounds: tuple[Sound, ...], rate: int) -> Chart | None:
    """Short-term loudness of all mixes but the residual; None for a song that is too short to have one."""
    curves = {sound.key: (sound, short_term_lufs(sound.signal, rate)) for sound in sounds if sound.key != RESIDUAL}
    return _curves("Loudness", "short-term, LUFS", curves, sounds[0].signal.shape[-1] / rate)


def width_over_time(sounds: tuple[Sound, ...], rate: int) -> Chart | None:
    """Side against mid of all mixes but the residual; None for a song that is too short."""
    curves = {sound.key: (sound, width_db(sound.signal, rate)) for sound in sounds if sound.key != RESIDUAL}
    return _curves("Stereo width", "side against mid, dB", curves, sounds[0].signal.shape[-1] / rate)


def _curves(title: str, label: str, curves: dict[str, tuple[Sound, Curve]], seconds: float) -> Chart | None:
    known = np.concatenate([curve.values[np.isfinite(curve.values)] for _, curve in curves.values()])
    if not len(known):
        return None
    # A pause would leave no room for what matters.
    low, high = max(float(known.min()), float(np.median(known)) - 24), float(known.max())
    marks = tuple(
        Mark("line", sound.key, curve.seconds, np.maximum(curve.values, low), sound.title.lower())
        for sound, curve in curves.values()
    )
    return Chart(title, time_axis(seconds), linear_axis(label, low, high, ticks=4), marks, "wide", seek=True)


def search_loss(trace: Trace) -> Chart:
    """The training loss, step by step."""
    steps = np.arange(1, len(trace.loss) + 1)
    high = float(np.quantile(trace.loss, 0.99))
    low = float(trace.loss.min())
    marks = (
        Mark("dots", "behind", steps, np.minimum(trace.loss, high), "single steps"),
        Mark("line", "estimate", steps, np.minimum(trace.smooth, high), "running mean"),
    )
    x = linear_axis("training step", 0, len(steps), ticks=6)
    return Chart("Loss over the search", x, linear_axis("loss", low, high, ticks=4), marks, "wide")


def search_processors(trace: Trace) -> Chart:
    """How the graph thinned out."""
    last = len(trace.loss)
    x, y = np.append(trace.pruned_at, last), np.append(trace.left, trace.left[-1])
    axis = linear_axis("training step", 0, last, ticks=6)
    marks = (Mark("steps", "estimate", x, y),)
    return Chart("Processors left", axis, linear_axis("processors", 0, float(y.max()), ticks=4), marks, "wide")
