"""What is there of a song before it is searched: its files, how long they are, and what looks wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, final

from mixgraph.audio.files import LENGTH_UNKNOWN, probe
from mixgraph.audio.song_file import Offset
from mixgraph.datasets.base import Dataset, Entry
from mixgraph.datasets.checks import audio_problems
from mixgraph.datasets.stem_file import duration
from mixgraph.datasets.subsets import evaluation_songs
from mixgraph.errors import SongError

TOLERATED_SECONDS = 1.0
"""Tracks may end so much before or after the mix: reverbs ring on, and files are cut by hand."""


@final
@dataclass(frozen=True)
class Headers:
    """What the heads of a song's files say. `seconds` is the length of the mix, else of the longest track.

    `tracks_end` is when the last track ends in the mix, as far as offsets are known; `unpacked` is false for a song
    whose tracks are still in one packed file.
    """

    seconds: float
    tracks_end: float
    sample_rates: tuple[int, ...]
    mono_tracks: int = 0
    unpacked: bool = True

    def problems(self) -> Iterator[str]:
        """What looks wrong, one line each."""
        if len(self.sample_rates) > 1:
            yield f"sample rates differ: {', '.join(map(str, self.sample_rates))} Hz"
        if (over := self.tracks_end - self.seconds) > TOLERATED_SECONDS:
            yield f"tracks go on for {over:.1f} s after the mix ends"
        if over < -TOLERATED_SECONDS:
            yield f"all tracks end {-over:.1f} s before the mix"


def read_headers(entry: Entry) -> Headers:
    """Reads the heads of all files of a song, not the audio; raises `SongError` at one that cannot be used."""
    layout = entry.layout
    if entry.packed and not all(path.is_file() for path in layout.tracks.values()):
        seconds, rate = duration(entry.packed)
        return Headers(seconds, seconds, (rate,), unpacked=False)
    heads = {name: probe(path) for name, path in layout.tracks.items()}
    rates, ends = {head.samplerate for head in heads.values()}, [0.0]
    for name, head in heads.items():
        start = layout.offsets.get(name, Offset()).at(head.samplerate, head.samplerate)
        ends.append((start + _frames(head)) / head.samplerate)
    seconds = max(ends)
    if layout.mix:
        mix = probe(layout.mix)
        rates, seconds = rates | {mix.samplerate}, _frames(mix) / mix.samplerate
    return Headers(seconds, max(ends), tuple(sorted(rates)), sum(head.channels == 1 for head in heads.values()))


def _frames(head: Any) -> int:
    """Frames that a header promises; a streamed file that does not tell has none."""
    return head.frames if head.frames < LENGTH_UNKNOWN else 0


@final
@dataclass(frozen=True)
class SongReport:
    """One song of a dataset: what is there, and what looks wrong; only `error` where it cannot be used."""

    id: str
    entry: Entry | None = None
    headers: Headers | None = None
    problems: tuple[str, ...] = ()
    error: str = ""

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON."""
        if not (entry := self.entry) or not (headers := self.headers):
            return {"id": self.id, "error": self.error}
        facts = {name: getattr(entry, name) for name in ("title", "artist", "licence", "aligned", "grouping")}
        return {
            "id": self.id,
            **facts,
            "has_mix": entry.layout.mix is not None,
            "truth": str(entry.truth) if entry.truth else None,
            "tracks": list(entry.layout.tracks),
            "subgroups": {group: list(tracks) for group, tracks in entry.layout.subgroups.items()},
            "seconds": headers.seconds,
            "sample_rates": list(headers.sample_rates),
            "mono_tracks": headers.mono_tracks,
            "unpacked": headers.unpacked,
            "remarks": list(entry.remarks),
            "problems": list(self.problems),
        }


def examine(
    dataset: Dataset, song: str, *, words: Mapping[str, str] | None = None, guess: bool = False, check: bool = False
) -> SongReport:
    """Looks at one song; its audio is read only to `check` it.

    `guess` puts guessed subgroups in place of those of the dataset; `words` are for any guess, as in `guess_subgroups`.
    """
    try:
        entry = dataset.entry(song)
        if guess or (words and entry.grouping == "guessed"):
            entry = entry.regrouped(words)
        if check:
            entry.prepare()
        headers = read_headers(entry)
        problems = [*headers.problems(), *(audio_problems(entry) if check else ())]
        return SongReport(song, entry, headers, tuple(problems))
    except SongError as error:
        return SongReport(song, error=str(error))


@final
@dataclass(frozen=True)
class Survey:
    """What is there of a dataset: the songs that were looked at, and the paper's evaluation songs that are missing."""

    name: str
    dataset: Dataset
    reports: tuple[SongReport, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Evaluation songs that are not in the folder."""
        return tuple(song for song in evaluation_songs(self.name) if song not in self.dataset.songs)

    def totals(self) -> dict[str, Any]:
        """Over the songs that can be used: their number, hours, tracks and sample rates."""
        usable = [(report.entry, report.headers) for report in self.reports if report.entry and report.headers]
        return {
            "usable": len(usable),
            "hours": sum(headers.seconds for _, headers in usable) / 3600,
            "tracks": sum(len(entry.layout.tracks) for entry, _ in usable),
            "sample_rates": sorted({rate for _, headers in usable for rate in headers.sample_rates}),
        }

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON."""
        return {
            "dataset": self.name,
            "root": str(self.dataset.root),
            "has_mix": self.dataset.has_mix,
            **self.totals(),
            "missing_evaluation_songs": list(self.missing),
            "songs": [report.to_json() for report in self.reports],
        }
