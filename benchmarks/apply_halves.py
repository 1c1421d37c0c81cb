"""A graph found on the first half of a song and applied to its second half, beside one found on that half itself.

Run: python benchmarks/apply_halves.py [SONG ...]; the table of docs/apply.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from common import SONGS, open_song, options_of, prepare, save, say, table

LEVELS = ("off", "undo", "keep")
TITLES = {"off": "untouched", "undo": "as found, put back", "keep": "as found"}


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("songs", nargs="*", type=Path, default=[SONGS / "hydrogen"], metavar="SONG")
    parser.add_argument("--console-steps", type=int, metavar="N", help="of each search (default: the preset's)")
    parser.add_argument("--rounds", type=int, metavar="N", help="of each search (default: the preset's)")
    parser.add_argument("--fine-tune-steps", type=int, metavar="N", help="of each round (default: the preset's)")


def half(song: Any, number: int) -> Any:
    """The first (0) or second (1) half of a song."""
    from mixgraph.audio.song import Song

    middle = song.samples // 2
    part = slice(number * middle, (number + 1) * middle)
    tracks = {name: song.track(name)[:, part] for name in song.tracks}
    title = f"{song.name}, {('first', 'second')[number]} half"
    return Song.from_arrays(title, tracks, song.mix()[:, part], song.sample_rate, song.subgroups)


def measure(folder: Path, config: Any) -> dict[str, Any]:
    """Losses on the second half, by what was done, and how many processors each graph has."""
    from mixgraph.presets.apply import apply_result
    from mixgraph.run.api import search

    with open_song(folder) as song:
        halves = [half(song, number) for number in (0, 1)]
    say(f"{folder.name}: searching the first half")
    first = search(halves[0], config)
    say(f"{folder.name}: searching the second half")
    second = search(halves[1], config)
    applied = {level: apply_result(first, halves[1], level=level).result.metrics["loss"] for level in LEVELS}
    return {
        "song": folder.name,
        "tracks": len(song.tracks),
        "first_half": first.metrics["loss"],
        "itself": second.metrics["loss"]["pruned"],
        "plain_sum": second.metrics["loss"]["plain_sum"],
        "applied": {level: loss["pruned"] for level, loss in applied.items()},
        "processors": [result.metrics["processors"]["kept"]["total"] for result in (first, second)],
    }


def main() -> None:
    options = options_of(__doc__, add)
    prepare(options.threads)
    from mixgraph.config import make_config

    given = {name: getattr(options, name) for name in ("console_steps", "rounds", "fine_tune_steps")}
    fit, prune = (
        {name: given[name] for name in names if given[name] is not None}
        for names in (("console_steps",), ("rounds", "fine_tune_steps"))
    )
    config = make_config(changes={"fit": fit, "prune": prune})
    found = [measure(folder, config) for folder in options.songs]
    header = ["song", "tracks", "plain sum", *(f"first half's graph, levels {TITLES[level]}" for level in LEVELS)]
    rows = [
        [
            one["song"],
            one["tracks"],
            f"{one['plain_sum']['target']:.3f}",
            *(f"{one['applied'][level]['target']:.3f}" for level in LEVELS),
            f"{one['itself']['target']:.3f}",
            f"{one['processors'][0]}, {one['processors'][1]}",
        ]
        for one in found
    ]
    steps = f"{config.fit.console_steps} console steps, {config.prune.rounds} rounds of {config.prune.fine_tune_steps}"
    title = f"L_a on the second half; searches of {steps}"
    table(title, [*header, "found on it", "processors (first, second)"], rows)
    save(options, songs=found)


if __name__ == "__main__":
    main()
