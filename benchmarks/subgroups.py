"""How well subgroups are guessed from track names: pairwise precision, recall and F1, mean over songs.

The words of the guess were chosen on the songs at even positions; those at odd positions are the check.
Run: python benchmarks/subgroups.py [../shared/facts/mixing_secrets_subgroups.json]
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mixgraph.audio.subgroups import guess_subgroups

FACTS = Path(__file__).resolve().parents[2] / "shared" / "facts" / "mixing_secrets_subgroups.json"


class Score(NamedTuple):
    """Agreement with a grouping made by hand."""

    precision: float
    recall: float
    f1: float


def pairs(groups: Mapping[str, Iterable[str]]) -> set[frozenset[str]]:
    """Every pair of tracks that share a subgroup."""
    return {frozenset(pair) for members in groups.values() for pair in combinations(sorted(members), 2)}


def score(truth: Mapping[str, list[str]]) -> Score:
    """Precision, recall and F1 of one song; 1 where nothing was to be found, or nothing was claimed."""
    names = [name for members in truth.values() for name in members]
    claimed = pairs(guess_subgroups(Path(name).stem for name in names))
    wanted = pairs({group: [Path(name).stem for name in members] for group, members in truth.items()})
    hits = len(claimed & wanted)
    return Score(
        hits / len(claimed) if claimed else 1.0,
        hits / len(wanted) if wanted else 1.0,
        2 * hits / (len(claimed) + len(wanted)) if claimed or wanted else 1.0,
    )


def mean_scores(path: Path) -> tuple[Score, Score]:
    """Means over the songs at even (tuned) and at odd (held out) positions; songs without tracks are left out."""
    songs = list(json.loads(path.read_text(encoding="utf-8")).values())
    even, odd = (np.mean([score(truth) for truth in songs[first::2] if truth], axis=0) for first in (0, 1))
    return Score(*even), Score(*odd)


def main(path: Path = FACTS) -> None:
    print("songs           precision  recall     F1")
    for label, mean in zip(("even (tuned)", "odd (held out)"), mean_scores(path), strict=True):
        print(f"{label:14}  {mean.precision:9.3f}  {mean.recall:6.3f}  {mean.f1:5.3f}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
