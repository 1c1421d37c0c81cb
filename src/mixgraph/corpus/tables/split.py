"""Train, validation and test: by artist, so that no network is tested on the artists it learnt from.

An artist's split is a hash of the name, so it depends on nothing else in the corpus: adding songs moves no others, and
two corpora agree about the artists they share. The price: shares hold for many artists, not for a handful.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Final, Literal, get_args

from mixgraph.corpus.folder import Corpus, SongRecord

Split = Literal["train", "validation", "test"]
SPLITS: Final[tuple[Split, ...]] = get_args(Split)
SHARES: Final[dict[Split, float]] = {"train": 0.8, "validation": 0.1, "test": 0.1}
NOBODY: Final = frozenset({"", "unknown", "unknown artist", "various", "various artists", "n a", "none"})
GUESTS: Final = re.compile(r" (?:feat|featuring|ft)\b.*")
"""Behind a name only: an artist may be called Ft."""


def song_split(corpus: Corpus, record: SongRecord) -> Split:
    """The split of a song of a corpus, whose `facts` may name a `split_seed`."""
    return split_of(record.artist, record.title, seed=corpus.facts.get("split_seed", 0))


def split_of(artist: str, title: str, *, seed: int = 0) -> Split:
    """The split of a song; songs of one artist share it, and songs of nobody known go by their title."""
    digest = hashlib.sha256(f"{seed}/{split_group(artist, title)}".encode()).digest()
    place, end = int.from_bytes(digest[:8]) / 2**64, 0.0
    for split, share in SHARES.items():
        end += share
        if place < end:
            return split
    return SPLITS[-1]


def split_group(artist: str, title: str) -> str:
    """What must not be divided: the artist without guests, case, accents and punctuation, or else the title."""
    name = GUESTS.sub("", _plain(artist)).strip()
    return f"title: {_plain(title)}" if name in NOBODY else f"artist: {name}"


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    spaced = (" " if not letter.isalnum() else letter for letter in letters if not unicodedata.combining(letter))
    return " ".join("".join(spaced).split())
