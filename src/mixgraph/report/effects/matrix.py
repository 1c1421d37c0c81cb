"""Gain, panning, stereo imager and every other 2x2 matrix: level, place and width, and a vectorscope."""

from __future__ import annotations

import numpy as np
import torch

from mixgraph.dsp.units import number
from mixgraph.processors.base import MatrixProcessor
from mixgraph.report.charts import Axis, Chart, Mark
from mixgraph.report.effects.base import Description, Found, decibels, mixed

CENTRE = 0.02  # of the way to a side: not worth a word
ASPECT = 282 / 144  # of the plotting area of a small chart


def heard_matrix(found: Found, processor: MatrixProcessor) -> np.ndarray:
    """(1 - w) I + w M, `(2, 2)`: output channel, input channel."""
    with torch.no_grad():
        matrix = processor.matrix(found.parameters)[0].double().cpu().numpy()
    return (1 - found.wet) * np.eye(2) + found.wet * matrix


def describe_gain(found: Found, processor: MatrixProcessor) -> Description:
    """Level and place of equal channels, dry share included."""
    matrix = heard_matrix(found, processor)
    left, right = np.diag(matrix)
    level = float(decibels(np.sqrt((left * left + right * right) / 2)))
    place = pan_position(left, right)
    level_text, place_text = f"{number(level, sign=True)} dB", _place(place)
    return Description(
        words=f"{level_text}, {place_text}",
        settings=(
            ("Level", level_text),
            ("Place", place_text),
            ("Left", f"{number(float(decibels(left)), sign=True)} dB"),
            ("Right", f"{number(float(decibels(right)), sign=True)} dB"),
        ),
        charts=(_vectorscope(matrix),),
    )


def describe_width(found: Found, processor: MatrixProcessor) -> Description:
    """The level of the side signal, dry share included."""
    matrix = heard_matrix(found, processor)
    side = float(decibels(matrix[0, 0] - matrix[0, 1]))
    how = "wider" if side > 0 else "narrower"
    text = f"{number(side, sign=True)} dB"
    return Description(f"side {text} ({how})", (("Side", text),), (_vectorscope(matrix),))


def describe_matrix(found: Found, processor: MatrixProcessor) -> Description:
    """Any other effect of this kind: its own summary."""
    summary = processor.summary(found.physical)
    settings = (("Settings", summary),)
    return Description(f"{summary}{mixed(found.wet)}", settings, (_vectorscope(heard_matrix(found, processor)),))


def pan_position(left: float, right: float) -> float:
    """From -1 (left) to 1 (right), by the constant-power law: 0 where both gains are equal."""
    return float(np.arctan2(abs(right), abs(left)) * 4 / np.pi - 1)


def _place(position: float) -> str:
    if abs(position) < CENTRE:
        return "centre"
    return f"{number(100 * abs(position), 0)} % {'left' if position < 0 else 'right'}"


def _vectorscope(matrix: np.ndarray) -> Chart:
    angle = np.linspace(0, 2 * np.pi, 97)
    circle = np.stack([np.cos(angle), np.sin(angle)])
    turned = {name: _turn(points) for name, points in (("before", circle), ("after", matrix @ circle))}
    reach = 1.1 * max(np.abs(points[1]).max() for points in turned.values())
    # Equal units both ways, so that a circle is one.
    reach = max(reach, 1.1 * max(np.abs(points[0]).max() for points in turned.values()) / ASPECT)
    x = Axis("left to right", -reach * ASPECT, reach * ASPECT, ((-reach, "left"), (0.0, ""), (reach, "right")))
    y = Axis("mid", -reach, reach, ((0.0, ""),))
    marks = (
        Mark("line", "unity", turned["before"][0], turned["before"][1], "before"),
        Mark("line", "curve", turned["after"][0], turned["after"][1], "after"),
    )
    return Chart("Stereo image", x, y, marks)


def _turn(left_right: np.ndarray) -> np.ndarray:
    """By 45 degrees: mid upwards, left to the left."""
    return np.stack([left_right[1] - left_right[0], left_right[0] + left_right[1]]) / np.sqrt(2)
