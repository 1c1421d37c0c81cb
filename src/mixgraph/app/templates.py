"""Pages from templates. Everything that comes from files and names is escaped."""

from __future__ import annotations

import time
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse


def page(template: str, status: int = 200, **facts: Any) -> HTMLResponse:
    """A page of a template with what it shows."""
    return HTMLResponse(_environment().get_template(template).render(facts), status)


@cache
def _environment() -> Environment:
    loader = PackageLoader("mixgraph.app", "templates")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False}  # the order of subgroups is theirs
    environment.filters |= {"duration": duration, "clock": clock, "moment": moment, "label": label}
    return environment


def duration(seconds: float) -> str:
    """Such as `40 s`, `6 min` or `3 h 20 min`: no more than one can feel."""
    return " ".join(_parts(seconds))


def span(least: float, most: float) -> str:
    """From so many seconds to so many, such as `40 s to 2 min` or `4 to 12 min`."""
    low, high = _parts(least), _parts(most)
    if low == high:
        return f"about {' '.join(high)}"
    shared = low[0] if len(low) == len(high) == 2 and low[1] == high[1] else " ".join(low)
    return f"{shared} to {' '.join(high)}"


def _parts(seconds: float) -> tuple[str, ...]:
    """Number and unit, and once more where there are hours; rounded more the longer it is."""
    if seconds < 100:
        return f"{round(seconds, -1 if seconds > 15 else 0):.0f}", "s"
    minutes = seconds / 60
    if minutes < 100:
        return f"{round(minutes / 5) * 5 if minutes > 20 else round(minutes)}", "min"
    hours, minutes = divmod(round(minutes / 10) * 10, 60) if minutes < 600 else (round(minutes / 60), 0)
    return (f"{hours}", "h", f"{minutes}", "min") if minutes else (f"{hours}", "h")


def clock(seconds: float | None) -> str:
    """The length of a recording: `3:45`."""
    return "?" if seconds is None else f"{round(seconds) // 60}:{round(seconds) % 60:02}"


def moment(when: float) -> str:
    """A Unix time as `24 Nov 2026, 23:36`, where we are."""
    local = time.localtime(when)
    return f"{local.tm_mday} {time.strftime('%b %Y, %H:%M', local)}"


def label(type: str) -> str:
    """The name of a processor type in words."""
    words = type.replace("_", " ")
    return words[:1].upper() + words[1:]
