"""Opens a page in the browser that needs no commands: drop a mix and its tracks, check the subgroups, press start,
watch, and read the report. It is served from this machine to this machine only; Ctrl-C ends it, and a search that was
running can go on at the next start."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.text import Text

from mixgraph.cli.terminal import Terminal
from mixgraph.errors import ConfigError

INSTALL = "pip install 'mixgraph[app]'"


def configure(parser: argparse.ArgumentParser) -> None:
    """Which folder, which port, and whether to open the browser."""
    where = "folder for songs and results (default ./mixgraph-workspace)"
    parser.add_argument("--workspace", type=Path, metavar="DIR", default=Path("mixgraph-workspace"), help=where)
    usual = "port on 127.0.0.1 (default 7717, or any free one where that is taken)"
    parser.add_argument("--port", type=int, metavar="N", help=usual)
    parser.add_argument("--no-browser", action="store_true", help="only print the address")


def run(options: argparse.Namespace) -> None:
    """Serves until Ctrl-C."""
    out = Terminal().out
    try:
        from mixgraph.app.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "mixgraph").startswith("mixgraph"):
            raise
        raise ConfigError(f"`mixgraph app` needs the package {error.name}, which is not installed; {INSTALL}") from None

    def ready(address: str) -> None:
        out.print(Text.assemble("mixgraph is at ", (address, "bold")), soft_wrap=True)
        out.print(f"songs and results are in {options.workspace.absolute()}", style="dim", soft_wrap=True, markup=False)
        out.print("Ctrl-C ends it; a search that is running can go on at the next start", style="dim")

    serve(options.workspace, port=options.port, browser=not options.no_browser, ready=ready)
