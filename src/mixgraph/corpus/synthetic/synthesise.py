"""Many songs with known graphs, from the dry tracks of other songs. A song depends on the plan and its number only."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, final

from mixgraph.audio.song import Song
from mixgraph.config import SearchConfig, make_config
from mixgraph.corpus.layouts import load_dry
from mixgraph.corpus.synthetic.excerpt import draw_excerpt
from mixgraph.corpus.synthetic.ranges import Ranges
from mixgraph.corpus.synthetic.song_folder import write_dry, write_truth
from mixgraph.corpus.synthetic.truth import AUDIBLE, draw_truth
from mixgraph.datasets.base import Entry
from mixgraph.errors import ConfigError, OutputError, SongError
from mixgraph.files import new_folder, output_error, read_json, write_json
from mixgraph.result.result import Result

logger = logging.getLogger(__name__)

PLAN: Final = "synthesis.json"
SCHEMA_VERSION: Final = 1


@final
@dataclass(frozen=True)
class Plan:
    """What is made: each song of so many tracks and seconds, from least to most. `config` gives the sample rate, the
    sizes of the processors and the loss."""

    songs: int
    seed: int = 0
    tracks: tuple[int, int] = (4, 8)
    seconds: tuple[float, float] = (10.0, 10.0)
    ranges: Ranges = field(default_factory=Ranges)
    config: SearchConfig = field(default_factory=make_config)


@final
@dataclass(frozen=True)
class Made:
    """A song that is there: its folder, and its true graph."""

    folder: Path
    truth: Result


def synthesise(
    sources: Sequence[Entry], output: Path, plan: Plan, watch: Callable[[Made], None] = lambda made: None
) -> list[Path]:
    """Writes songs into a folder and returns their folders; those that are there already are kept.

    The sources take turns, in an order that the seed gives. One that cannot be read is left out, with its songs, and
    the log says so. Raises `OutputError` where the folder holds songs of another plan, `SongError` where no source
    could be used, `ConfigError` where songs would be shorter than a segment.
    """
    shortest, segment = plan.seconds[0], plan.config.audio.segment_seconds
    if shortest < segment:
        raise ConfigError(f"seconds: {shortest:g} is shorter than a segment, {segment:g} s; make longer songs")
    if not sources:
        raise SongError(f"{output}: there are no songs to take dry tracks from; name a dataset that has some")
    _begin(output, _document(sources, plan))
    order = random.Random(f"{plan.seed}/sources").sample(range(len(sources)), len(sources))
    folders: list[Path] = []
    fault: SongError | None = None
    # By source, so that each is decoded once.
    for turn, number in enumerate(order):
        entry, songs = sources[number], range(turn, plan.songs, len(order))
        missing = {song: home for song in songs if not (home := _home(output, song, entry)).is_dir()}
        try:
            if missing:
                with _load_dry(entry, plan) as source:
                    for song, home in missing.items():
                        watch(Made(home, _make(home, source, entry, song, plan)))
        except SongError as error:
            fault = error
            logger.warning("%s is left out: %s", entry.id, error)
        folders += [home for song in songs if (home := _home(output, song, entry)).is_dir()]
    if fault and not folders:
        raise fault
    return sorted(folders)


def _make(home: Path, source: Song, entry: Entry, number: int, plan: Plan) -> Result:
    rng = random.Random(f"{plan.seed}/{number}/{entry.id}")
    excerpt = draw_excerpt(source, plan.tracks, plan.seconds, rng)
    with new_folder(home) as folder:
        with write_dry(folder, source, entry, excerpt) as dry:
            truth = draw_truth(dry, plan.config, plan.ranges, rng)
        facts: dict[str, Any] = {
            "seed": plan.seed,
            "number": number,
            "audible": AUDIBLE,
            "ranges": plan.ranges.to_json(),
            "source": {
                "id": entry.id,
                "title": entry.title,
                "artist": entry.artist,
                "licence": entry.licence,
                "start_s": excerpt.start / source.sample_rate,
                "seconds": excerpt.samples / source.sample_rate,
                "input_sha256": source.hashes,
            },
        }
        return write_truth(folder, home, truth, facts)


def _load_dry(entry: Entry, plan: Plan) -> Song:
    entry.prepare()
    layout = replace(entry.layout, mix=None, files=tuple(entry.layout.tracks.values()))
    song = load_dry(layout, plan.config)
    song.require_length(plan.config.segment_samples)
    return song


def _home(output: Path, number: int, entry: Entry) -> Path:
    return output / f"{number:05d}_{entry.id}"


def _document(sources: Sequence[Entry], plan: Plan) -> dict[str, Any]:
    """All that the songs depend on, but for how many there are."""
    return {
        "schema_version": SCHEMA_VERSION,
        "seed": plan.seed,
        "tracks": list(plan.tracks),
        "seconds": list(plan.seconds),
        "sources": [entry.id for entry in sources],
        "ranges": plan.ranges.to_json(),
        "config": plan.config.model_dump(mode="json"),
    }


def _begin(output: Path, document: dict[str, Any]) -> None:
    file = output / PLAN
    if file.is_file():
        for name, begun in read_json(file, "remove it with its songs").items():
            if begun != document.get(name):
                raise OutputError(f"{file}: these songs were made with another '{name}'; choose another folder with -o")
        return
    if output.is_dir() and any(output.iterdir()):
        raise OutputError(f"{output}: is not empty and holds no {PLAN}; choose another folder with -o")
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(output, error) from None
    write_json(file, document)
