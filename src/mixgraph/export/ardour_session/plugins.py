"""Processors as plugins of Ardour: Lua scripts inside the session that compute what ours compute."""

from __future__ import annotations

import hashlib
import math
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from mixgraph.export.responses import Response, processor_of
from mixgraph.processors.knee import KneeProcessor
from mixgraph.result.result import Result

SCRIPTS = Environment(
    loader=PackageLoader("mixgraph.export.ardour_session"),
    autoescape=False,
    undefined=StrictUndefined,
    trim_blocks=True,
    keep_trailing_newline=True,
)
LOWEST_DB, HIGHEST_DB = -60.0, 24.0


@dataclass(frozen=True)
class Port:
    """A knob, set to `value`; what was found lies within its range, however far out it is."""

    name: str
    value: float
    low: float
    high: float
    unit: str = ""
    logarithmic: bool = False


@dataclass(frozen=True)
class Plugin:
    """A Lua script and its knobs."""

    title: str
    script: str
    ports: tuple[Port, ...] = ()

    @property
    def id(self) -> str:
        """As Ardour makes it of a script."""
        return hashlib.sha1(self.script.encode(), usedforsecurity=False).hexdigest()

    @property
    def encoded(self) -> str:
        """The script as sessions hold it."""
        return b64encode(self.script.encode()).decode()


def convolver(title: str, about: str, file: str, origin: int) -> Plugin:
    """Convolves with a file of the session's folder; `origin` is the sample of it that is time zero."""
    return _plugin("convolver", title, about, (), {"file": file, "origin": origin})


def gains(title: str, about: str, response: Response) -> Plugin | None:
    """Knobs for a memoryless effect, the gains of left and right or that of the side; None where these do not do."""
    (left, crossed), (other, right) = response.taps[..., 0].tolist()
    if response.is_diagonal and min(left, right) > 0:
        ports = (_gain("Left", left), _gain("Right", right))
        return _plugin("gains", title, about, ports, {"width": False})
    is_width = math.isclose(left, right) and math.isclose(crossed, other) and math.isclose(left + crossed, 1)
    if is_width and left > crossed:
        return _plugin("gains", title, about, (_gain("Side", left - crossed),), {"width": True})
    return None


def knee(result: Result, id: str, title: str) -> Plugin:
    """A compressor or gate with our envelope, and our knobs."""
    processor, kind = processor_of(result, id), result.graph.node(id).type
    if not isinstance(processor, KneeProcessor):
        raise ValueError(f"{id} is neither compressor nor gate")
    parameters = result.bank.select(kind, [id])
    value = {name: float(values[0]) for name, values in processor.physical(parameters).items()}
    ports = (
        _port("Threshold", value["threshold_db"], -80, 0, "dB"),
        _port("Ratio", value["ratio"], 1, 20, logarithmic=True),
        _port("Knee", value["knee_db"], 0.01, 30, "dB"),
        _port("Time constant", value["smoothing_ms"], 0.01, 1000, "ms", logarithmic=True),
        _port("Wet", 100 * result.bank.dry_wet()[id], 0, 100, "%"),
    )
    about = "energy of both channels, smoothed by one pole; a quadratic knee; the same gain on both"
    curve = processor.knee(parameters)
    exponent = 0.5 if processor.config.dynamics_form == "physical" else 1.0
    facts = {"sign": curve.sign, "floor": curve.floor, "exponent": exponent}
    return _plugin("knee", title, about, ports, facts)


def _plugin(template: str, title: str, about: str, ports: tuple[Port, ...], facts: Mapping[str, Any]) -> Plugin:
    made = SCRIPTS.get_template(f"{template}.lua.j2")
    return Plugin(title, made.render({"title": title, "about": about, "ports": ports, **facts}), ports)


def _gain(name: str, gain: float) -> Port:
    return _port(name, 20 * math.log10(gain), LOWEST_DB, HIGHEST_DB, "dB")


def _port(name: str, value: float, low: float, high: float, unit: str = "", *, logarithmic: bool = False) -> Port:
    value = min(max(value, -1e6), 1e6)
    return Port(name, value, min(low, value), max(high, value), unit, logarithmic)
