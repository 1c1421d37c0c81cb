"""Which found chain suits which track of another song: by its name, else by the instrument that its name says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from mixgraph.audio.subgroups import FAMILIES, FILLERS, WEAK_FAMILIES, guess_group, words_of

Reason = Literal["name", "words", "instrument", "given", "none"]

KIT: Final = {
    "kick": "kick kicks kik kck bd bassdrum kickdrum",
    "snare": "snare snares snr sn sidestick rim rimshot",
    "hihat": "hihat hihats hat hats hh",
    "tom": "tom toms floortom racktom",
    "cymbals": "cymbal cymbals cymb cymbs crash ride splash china",
    "overheads": "overhead overheads oh ohs room rooms",
    "claps": "clap claps handclaps snap snaps",
    "shaker": "shaker shakers tambourine tambourines tamborine tamb",
}
"""Drum → words. What suits a kick harms a hi-hat, so that both being drums is not enough."""

DRUM_OF: Final = {word: drum for drum, words in KIT.items() for word in words.split()}


@dataclass(frozen=True)
class Match:
    """The found track whose chain a track takes, None for none, and why."""

    chain: str | None
    reason: Reason


def match_tracks(tracks: Sequence[str], found: Sequence[str]) -> dict[str, Match]:
    """The best found track for each track; where several are as good, each in turn, so that two voices get two chains.

    The same name comes first (in any case), then the same words but for fillers ("02_Kick" and "KICK_m"), then the
    same instrument, as `audio.subgroups` reads it from names: datasets name their tracks by their instruments.
    """
    names = {name.casefold(): name for name in found}
    words, instruments = {name: _words(name) for name in found}, {name: instrument_of(name) for name in found}
    used: Counter[str] = Counter()
    matches: dict[str, Match] = {}
    exact = {track: names[track.casefold()] for track in tracks if track.casefold() in names}
    used.update(exact.values())
    for track in tracks:
        if track in exact:
            matches[track] = Match(exact[track], "name")
            continue
        mine, instrument = _words(track), instrument_of(track)
        same = [name for name in found if mine and words[name] == mine]
        alike = [name for name in found if instrument and instruments[name] == instrument]
        if not (same or alike):
            matches[track] = Match(None, "none")
            continue
        shared = {name: len(mine & words[name]) for name in alike}
        chain = min(same or alike, key=lambda name: (-shared.get(name, 0), used[name]))
        used[chain] += 1
        matches[track] = Match(chain, "words" if same else "instrument")
    return matches


def instrument_of(name: str) -> str:
    """The group of `audio.subgroups` that a name suggests, within drums also the drum; empty where it says nothing."""
    words = words_of(name)
    group = guess_group(words, {})
    if group not in {*FAMILIES, *WEAK_FAMILIES}:
        return ""
    drum = next((DRUM_OF[word] for word in words if word in DRUM_OF), "") if group == "drums" else ""
    return f"{group}/{drum}" if drum else group


def _words(name: str) -> frozenset[str]:
    return frozenset(words_of(name)) - frozenset(FILLERS.split())
