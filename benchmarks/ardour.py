"""Ardour's render of exported sessions beside our own: the table of docs/export.md.

    python benchmarks/ardour.py [SONGS] -o runs [--console-steps 40] [--threads 1]

Searches each song twice, with all processors and with linear ones only (`--chain esgdr`), exports both, has Ardour
render them, and compares. A result that is in runs/ is not searched again. Short searches do: what is compared is not
how good a graph is, but how it is played. Needs Ardour 7 (Debian: apt install ardour).
"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryDirectory

from common import SONGS, options_of, prepare, say, table

CHAINS = {"all processors": "ecnsgdr", "linear only": "esgdr"}


def add(parser: ArgumentParser) -> None:
    parser.add_argument("songs", type=Path, nargs="?", default=SONGS, help="folder of song folders")
    parser.add_argument("-o", "--output", type=Path, default=Path("runs"), help="where results are kept")
    parser.add_argument("--console-steps", type=int, default=40)


def main() -> None:
    options = options_of(__doc__, add)
    prepare(options.threads)
    from mixgraph.export.ardour_session.render import find_ardour

    find_ardour()
    options.output.mkdir(exist_ok=True)
    rows = []
    for song in sorted(path.parent for path in options.songs.glob("*/song.toml")):
        for title, chain in CHAINS.items():
            say(f"{song.name}, {title}")
            rows.append(measure(song, title, chain, options.output / f"{song.name}-{chain}", options.console_steps))
    header = ("song", "graph", "processors", "dynamics, worst gain error", "difference", "L_a")
    table("Ardour's render beside ours", header, rows)


def measure(folder: Path, title: str, chain: str, kept: Path, steps: int) -> tuple[str, ...]:
    """One row."""
    import mixgraph
    from mixgraph.export.base import Source
    from mixgraph.export.compare import compare_export
    from mixgraph.export.write import export_result
    from mixgraph.result.song import load_own_song

    if not kept.exists():
        changes = {
            "console": {"chain": chain},
            "fit": {"console_steps": steps},
            "prune": {"rounds": 2, "fine_tune_steps": 10},
        }
        mixgraph.search(folder, mixgraph.make_config(changes=changes), output=kept, resume=True)
    result = mixgraph.Result.load(kept)
    with TemporaryDirectory() as work, load_own_song(result, kept, require_mix=False) as song:
        output = Path(work, "session")
        fates = export_result(result, "ardour", output, song=song)
        compared = compare_export(Source(result, song), "ardour", output)
    errors = [fate.error_db for fate in fates if fate.error_db is not None]
    worst = f"{len(errors)}, {max(errors):.3f} dB" if errors else "none"
    return (song.name, title, str(len(fates)), worst, f"{compared.difference_db:.1f} dB", f"{compared.loss:.4f}")


if __name__ == "__main__":
    main()
