"""What each trick of our console fit is worth: the published fit with it alone, and ours without it.

    python benchmarks/fit_tricks.py [--song ../shared/songs/hydrogen] [--steps 120] [--seeds 0 1 2] [--only TRICK ...]
                                    [--of published ours] [--json FILE]

A trick is a group of settings in which the default preset's `fit` differs from the paper's; "without" it, they are the
paper's. Restarts, which differ too, are left out: they come every 500 steps. All fits are of the default preset's
console, dynamics and loss, and have as many steps. Losses are over the whole song, target convention; seconds leave
the evaluations out.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path
from typing import Any

from common import SONGS, loss_curve, open_song, options_of, prepare, save, say, spread, table

TRICKS = {
    "least-squares start": ("start",),
    "smaller random parameters": ("initial_std",),
    "rate of 0.08, rising and falling": ("learning_rate", "learning_rate_schedule"),
    "NAdam and its decays": ("optimiser", "gradient_decay", "squared_gradient_decay"),
    "equalisers at half the rate": ("equalizer_rate",),
    "segments by the golden ratio": ("segment_draw",),
    "two segments a step": ("segments_per_step",),
}
PUBLISHED, OURS = "published", "ours"
Found = dict[str, list[dict[str, float]]]


def main() -> None:
    options = options_of(__doc__, _add)
    prepare(options.threads)
    from mixgraph.config import make_config

    tricks = {name: TRICKS[name] for name in options.only}
    fits = {name: settings for name, settings in _fits(tricks).items() if name.startswith(tuple(options.of))}
    song, found = open_song(options.song), Found({name: [] for name in fits})
    loss_curve(song, make_config(), 2, 2)  # the first steps of a process load kernels
    for seed in options.seeds:
        for name, settings in fits.items():
            say(f"{song.name}, seed {seed}: {name}")
            config = make_config(changes={"seed": seed}).model_copy(update={"fit": settings})
            found[name].append(loss_curve(song, config, options.steps, options.steps)[-1])
        save(options, song=song.name, fits=found)
    print(f"{song.name}, {options.steps} steps")
    for whole in options.of:
        _print({name: ends for name, ends in found.items() if name.startswith(whole)}, found[whole])


def _add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--song", type=Path, default=SONGS / "hydrogen", metavar="FOLDER")
    parser.add_argument("--steps", type=int, default=120, metavar="N")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], metavar="N", help="every fit with each")
    parser.add_argument("--only", nargs="+", choices=TRICKS, default=[*TRICKS], metavar="TRICK", help="these tricks")
    both = (PUBLISHED, OURS)
    parser.add_argument("--of", nargs="+", choices=both, default=[*both], help="the whole fits, with their variants")


def _fits(tricks: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    """Settings of every fit by name."""
    from mixgraph.config import make_config

    published, ours = make_config("paper").fit, make_config().fit
    fits = {PUBLISHED: published}
    for trick, keys in tricks.items():
        fits[f"{PUBLISHED}, with {trick}"] = published.model_copy(update={key: getattr(ours, key) for key in keys})
    fits[OURS] = ours
    for trick, keys in tricks.items():
        fits[f"{OURS}, without {trick}"] = ours.model_copy(update={key: getattr(published, key) for key in keys})
    return fits


def _print(found: Found, whole: list[dict[str, float]]) -> None:
    rows = []
    for name, ends in found.items():
        changes = [end["loss"] - other["loss"] for end, other in zip(ends, whole, strict=True)]
        losses, seconds = ([end[key] for end in ends] for key in ("loss", "seconds"))
        rows.append([name, *spread(losses, 1, 4), f"{statistics.median(changes):+.4f}", *spread(seconds, 1, 1)])
    columns = ["loss min", "median", "max", "change, median", "seconds min", "median", "max"]
    table(next(iter(found)).capitalize(), ["fit", *columns], rows)


if __name__ == "__main__":
    main()
