"""Ardour's render of exported sessions beside our own, or another program's: the tables of docs/export.md.

    python benchmarks/ardour.py [SONGS] -o runs [--to ardour] [--console-steps 40] [--threads 1]

Searches each song, exports the result and the same graph without its compressors and gates, has the format's own
program (Ardour, Faust, pedalboard) render both, and compares. A result that is in runs/ is not searched again. Short
searches do: what is compared is not how good a graph is, but how it is played. Needs Ardour 7 (Debian: apt install
ardour), or for Faust DawDreamer (pip install dawdreamer).
"""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from common import SONGS, options_of, prepare, say, table

if TYPE_CHECKING:
    from mixgraph.result.result import Result


def add(parser: ArgumentParser) -> None:
    parser.add_argument("songs", type=Path, nargs="?", default=SONGS, help="folder of song folders")
    parser.add_argument("-o", "--output", type=Path, default=Path("runs"), help="where results are kept")
    parser.add_argument("--to", default="ardour", metavar="FORMAT", help="a format that its own program can render")
    parser.add_argument("--console-steps", type=int, default=40)


def main() -> None:
    options = options_of(__doc__, add)
    prepare(options.threads)
    from mixgraph.export.ardour_session.render import find_ardour
    from mixgraph.export.compare import check_comparable

    check_comparable(options.to)
    if options.to == "ardour":
        find_ardour()
    options.output.mkdir(exist_ok=True)
    rows = []
    for song in sorted(path.parent for path in options.songs.glob("*/song.toml")):
        kept = options.output / song.name
        result = found(song, kept, options.console_steps)
        for title, graph in (("as found", result), ("linear processors only", linear(result))):
            say(f"{song.name}, {title}")
            rows.append((song.name, title, *measure(graph, kept, options.to)))
            say(", ".join(rows[-1]))
    header = ("song", "graph", "processors", "dynamics, worst gain error", "difference", "L_a")
    table(f"The render of {options.to} beside ours", header, rows)


def found(song: Path, kept: Path, steps: int) -> Result:
    """The result of a song, searched if need be."""
    import mixgraph

    if not kept.exists():
        prune = {"rounds": 2, "fine_tune_steps": 10}
        config = mixgraph.make_config(changes={"fit": {"console_steps": steps}, "prune": prune})
        mixgraph.search(song, config, output=kept, resume=True)
    return mixgraph.Result.load(kept)


def linear(result: Result) -> Result:
    """The same without compressors and gates."""
    from mixgraph.processors.base import DynamicsProcessor
    from mixgraph.result.result import processor_ids

    dynamic = [
        node.id for node in result.graph.processors if isinstance(result.processors[node.type], DynamicsProcessor)
    ]
    graph = result.graph.without(dynamic)
    return replace(result, graph=graph, bank=result.bank.keep(processor_ids(graph)))


def measure(result: Result, kept: Path, format: str) -> tuple[str, ...]:
    """What a row says of a graph."""
    from mixgraph.export.base import Source
    from mixgraph.export.compare import compare_export
    from mixgraph.export.write import export_result
    from mixgraph.result.song import load_own_song

    with TemporaryDirectory() as work, load_own_song(result, kept, require_mix=False) as song:
        output = Path(work, "session")
        fates = export_result(result, format, output, song=song)
        compared = compare_export(Source(result, song), format, output)
    errors = [fate.error_db for fate in fates if fate.error_db is not None]
    worst = f"{len(errors)}, {max(errors):.3f} dB" if errors else "none"
    return str(len(fates)), worst, f"{compared.difference_db:.1f} dB", f"{compared.loss:.4f}"


if __name__ == "__main__":
    main()
