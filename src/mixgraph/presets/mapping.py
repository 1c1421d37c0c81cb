"""Which chains and subgroups of a found graph the tracks of another song get: proposed, shown, written and read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import tomlkit

from mixgraph.audio.song_file import check_subgroups, suggestion
from mixgraph.audio.subgroups import guess_subgroups
from mixgraph.errors import ConfigError, MixgraphError
from mixgraph.files import read_toml, write_bytes
from mixgraph.graph.graph import Graph
from mixgraph.presets.chains import buses_of, chains_of, subgroup_of
from mixgraph.presets.matching import Match, match_tracks

TABLES: Final = ("tracks", "subgroups")
HEAD: Final = """\
# Which found track lends each track its chain; "" is none.
"""
GROUPS_HEAD: Final = """\
# A subgroup called like a found one has that one's chain. A track in none goes to the output by itself.
"""


@dataclass(frozen=True)
class StemMapping:
    """`tracks`: every track of the song and its match; `subgroups`: their tracks, by name, in order."""

    tracks: dict[str, Match]
    subgroups: dict[str, tuple[str, ...]]

    def home(self, track: str) -> str | None:
        """The subgroup of a track; None where it goes to the output, or to several nodes as its chain did."""
        return next((name for name, members in self.subgroups.items() if track in members), None)

    def to_toml(self) -> str:
        """The file that `read_mapping` reads."""
        quoted = {track: match.chain or "" for track, match in self.tracks.items()}
        groups = {name: list(group) for name, group in self.subgroups.items()}
        tracks = tomlkit.dumps({"tracks": quoted})
        return f"{HEAD}{tracks}\n{GROUPS_HEAD}{tomlkit.dumps({'subgroups': groups})}"

    def write(self, path: Path) -> None:
        """Writes the file; raises `OutputError`."""
        write_bytes(path, self.to_toml().encode())


@dataclass(frozen=True)
class Wishes:
    """What a user says of the mapping: found tracks (or "") by track, and all subgroups where they are listed."""

    tracks: dict[str, str]
    subgroups: dict[str, Any] | None = None

    def updated(self, other: Wishes) -> Wishes:
        """These wishes, with others that come later."""
        return Wishes(self.tracks | other.tracks, self.subgroups if other.subgroups is None else other.subgroups)


def read_mapping(path: Path) -> Wishes:
    """Reads a file as `StemMapping.write` writes it, either table or both; raises `ConfigError` naming the place."""
    tables = read_toml(path, "write one with --write-map, or give OLD=NEW")
    for key, table in tables.items():
        if key not in TABLES or not isinstance(table, dict):
            raise ConfigError(
                f"{path}: {key} = {table!r:.60} was read; the file has the tables [tracks] and [subgroups]"
            )
    tracks = tables.get("tracks", {})
    for track, chain in tracks.items():
        if not isinstance(chain, str):
            raise ConfigError(f"{path}: {track} = {chain!r:.60} was read; name one found track in quotes")
    return Wishes(tracks, tables.get("subgroups"))


def read_wishes(text: str) -> Wishes:
    """The wishes of a file, or of a pair `OLD=NEW`; raises `ConfigError`."""
    return parse_pair(text) if "=" in text and not Path(text).is_file() else read_mapping(Path(text))


def parse_pair(text: str) -> Wishes:
    """The wish that `OLD=NEW` says: track NEW of the song takes the chain of the found track OLD ("=NEW": none)."""
    chain, sign, track = (part.strip() for part in text.partition("="))
    if not sign or not track:
        raise ConfigError(
            f"argument --map: '{text}': expected a TOML file or OLD=NEW, a found track and one of the song"
        )
    return Wishes({track: chain})


def make_mapping(
    graph: Graph, tracks: Sequence[str], subgroups: Mapping[str, Sequence[str]], wishes: Wishes | None = None
) -> StemMapping:
    """The mapping of a song's `tracks` and `subgroups` to a found graph: what is wished, the rest as names suggest.

    A track goes to the subgroup that its chain went to; one without a chain to where most tracks of its own subgroup
    go, else to the found subgroup of the same name, else to its own subgroup, which is then created.
    Raises `ConfigError` for a wish that names an unknown track.
    """
    wishes = wishes or Wishes({})
    chains = chains_of(graph)
    for track, chain in wishes.tracks.items():
        if track not in tracks:
            raise ConfigError(f"mapping: the song has no track '{track}'; {suggestion(track, tracks, 'tracks')}")
        if chain and chain not in chains:
            raise ConfigError(f"mapping: the found graph has no track '{chain}'; {suggestion(chain, chains, 'tracks')}")
    free = [track for track in tracks if track not in wishes.tracks]
    given = {track: Match(chain or None, "given") for track, chain in wishes.tracks.items()}
    matches = match_tracks(free, list(chains)) | given
    ordered = {track: matches[track] for track in tracks}
    if wishes.subgroups is not None:
        try:
            return StemMapping(ordered, check_subgroups(wishes.subgroups, tracks, "mapping"))
        except MixgraphError as error:
            raise ConfigError(str(error)) from None
    buses = {track: chains[match.chain].bus for track, match in ordered.items() if match.chain}
    homes = {track: subgroup_of(bus) for track, bus in buses.items() if bus}
    own = {track: name for name, members in subgroups.items() for track in members}
    guessed = {track: name for name, members in guess_subgroups(tracks).items() for track in members}
    for track in tracks:
        if track in buses:
            continue
        fellows = Counter(homes[other] for other in subgroups.get(own.get(track, ""), ()) if other in homes)
        named = [name for name in (own.get(track), guessed.get(track)) if name in buses_of(graph)]
        homes[track] = fellows.most_common(1)[0][0] if fellows else [*named, own.get(track, track)][0]
    groups: dict[str, list[str]] = {}
    for track in tracks:
        if track in homes:
            groups.setdefault(homes[track], []).append(track)
    return StemMapping(ordered, {name: tuple(members) for name, members in groups.items()})
