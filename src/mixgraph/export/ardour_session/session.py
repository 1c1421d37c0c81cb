"""The session file: strips, what they play, and what they feed. Its form is that of Ardour 7.3 (version 7002)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from itertools import count
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from mixgraph.export.ardour_session.plugins import Plugin

MASTER: Final = "Master"
RESERVED: Final = (MASTER, "Monitor", "Click", "Auditioner")
SUPERCLOCKS: Final = 282_240_000  # per second: how sessions count time
LATER_IDS: Final = 1_000_000  # what is added in Ardour is numbered from here
PANNER: Final = "http://ardour.org/plugin/panner_balance"  # turns one side down, the other keeps its level


@dataclass(frozen=True)
class Strip:
    """A track (it plays the stereo file of its name), a bus, or the master, which has no `feeds`.

    `balance` runs from 0, left only, to 1, right only.
    """

    name: str
    is_track: bool = False
    plugins: tuple[Plugin, ...] = ()
    gain: float = 1.0
    balance: float = 0.5
    feeds: tuple[str, ...] = ()


def session_xml(name: str, sample_rate: int, samples: int, strips: Sequence[Strip]) -> str:
    """A session of `samples` whose tracks start at zero; equal strips give equal text."""
    ids = count(1)
    environment = Environment(
        loader=PackageLoader("mixgraph.export.ardour_session"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    routes = [_route(strip, order, strips, partial(next, ids)) for order, strip in enumerate(strips)]
    return environment.get_template("session.ardour.j2").render(
        name=name,
        rate=sample_rate,
        length=-(-samples * SUPERCLOCKS // sample_rate),
        routes=routes,
        tracks=[route for route in routes if route["playlist"]],
        id=partial(next, ids),
        later_ids=LATER_IDS,
        panner=PANNER,
        version=version("mixgraph"),
    )


def _route(strip: Strip, order: int, strips: Sequence[Strip], new_id: partial[int]) -> dict[str, Any]:
    kind = "AudioTrack" if strip.is_track else "AudioBus" if strip.feeds else "MasterOut"
    return vars(strip) | {
        "id": new_id(),
        "order": order,
        "flags": kind,
        "is_master": not strip.feeds,
        "fed_by": [other.name for other in strips if strip.name in other.feeds],
        "playlist": new_id() if strip.is_track else None,
        "sources": (new_id(), new_id()) if strip.is_track else (),
    }
