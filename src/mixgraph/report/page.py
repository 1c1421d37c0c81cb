"""The page itself: one HTML file from the templates, with its script, its style and a policy that lets nothing in."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mixgraph.dsp.units import number
from mixgraph.graph.palette import COLORS, OTHER
from mixgraph.report.graph_view import style_of

SCRIPTS: Final = ("streams.js", "console.js", "player.js", "inspector.js", "page.js")


def render_page(context: Mapping[str, Any]) -> str:
    """The HTML of a page; equal contexts give equal bytes. Whatever comes from a song's files is escaped."""
    # Undefined names are mistakes of ours. Autoescape holds for the templates' own endings too.
    environment = Environment(
        loader=PackageLoader("mixgraph.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {"style": style_of, "percent": percent, "worth": worth_text}
    script = "(() => {\n'use strict';\n" + "\n".join(map(_asset, SCRIPTS)) + "\n})();"
    colors = "".join(f" --{kind}: {color};" for kind, color in {**COLORS, "other": OTHER}.items())
    css = f":root {{{colors} }}\n{_asset('report.css')}"
    # Files of this package: they are markup, not text of a song's.
    own = {
        "script": Markup(script),
        "css": Markup(css),
        "worklet": Markup(_asset("knee.worklet.js")),
        "policy": _policy(script, css),
    }
    return environment.get_template("page.html.j2").render({**context, **own})


def percent(share: float) -> str:
    """Such as `18 %`."""
    return f"{number(100 * share, 0)} %"


def worth_text(loss: float | None) -> str:
    """What a processor is worth, in thousandths of loss."""
    return "" if loss is None else number(loss, 3, sign=True)


def _policy(script: str, css: str) -> str:
    """Only this script, what it loads itself (the worklet), this style, and pictures that are in the page."""
    own = f"script-src '{_digest(script)}' 'strict-dynamic'; style-src '{_digest(css)}'; img-src data:"
    return f"default-src 'none'; {own}; connect-src 'none'; base-uri 'none'; form-action 'none'"


def _digest(text: str) -> str:
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _asset(name: str) -> str:
    return files("mixgraph.report").joinpath("assets", name).read_text(encoding="utf-8")
