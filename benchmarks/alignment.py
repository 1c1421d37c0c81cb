"""How often alignment finds where dry tracks lie under a mix, and how often it is wrong and sure of it.

Excerpts of 10 to 40 s of real songs and their mixes, and the whole of the demo's stems (6 s): tracks and mix are cut at
different places, some follow silence, polarities are flipped, noise is added, the tracks' clock is off. In wrong pairs
the mix is another song's. The whole set first, then each track by itself, shifted by itself.
Run: python benchmarks/alignment.py [--trials 24] [--track-trials 6] [--seed 0] [--json FILE]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import soxr

from common import SONGS, options_of, save, say, table
from mixgraph.audio.alignment import RATE, Alignment, find_alignment, find_track_alignments
from mixgraph.audio.song import Song, load_layout
from mixgraph.audio.song_file import Offset, read_layout
from mixgraph.demo import make_demo_song

# All tracks of this song but one start 172 samples (at 44.1 kHz) too early. Each track's own correlation at full rate
# says so; nothing else does.
MISPLACED = ("caesium", 172, "MINILOGUE_SYNTH_m")
RIGHT_SECONDS = 1e-3
SHARED_SECONDS = 8.0  # that tracks and mix have in common at least
LEAST_SECONDS, MOST_SECONDS = 10.0, 40.0
MOST_SILENCE = 15.0
DRIFTS_PPM = (0, 20, 100, 300)
NOISES_DB = (None, 20, 10)  # below the mix
HEARD_LEVEL, HEARD_SECONDS = 1e-3, 3  # a track that is louder for shorter is hard to find by itself


@dataclass(frozen=True)
class Cut:
    """Samples `first` to `last` of a song, after so many of silence, `stretch` times as long."""

    first: int
    last: int
    silence: int
    stretch: float = 1.0

    def of(self, samples: np.ndarray) -> np.ndarray:
        """That part of samples (channels, time)."""
        part = samples[:, self.first : self.last]
        if self.stretch != 1:
            part = soxr.resample(part.T, RATE, RATE * self.stretch).T
        return np.pad(part, ((0, 0), (self.silence, 0)))

    def place(self, sample: float) -> float:
        """Where a sample of the song is in the part."""
        return self.silence + (sample - self.first) * self.stretch

    def source(self, sample: float) -> float:
        """The sample of the song that is at this place of the part."""
        return self.first + (sample - self.silence) / self.stretch


@dataclass(frozen=True)
class Trial:
    """A song to be aligned, and the true offsets (s) of its tracks in the middle of the mix; None where none is.

    `brief` are the tracks of which little is in both.
    """

    song: Song
    truth: Mapping[str, float | None]
    brief: frozenset[str]
    drift_ppm: float
    noise_db: int | None


@dataclass(frozen=True)
class Outcome:
    """What came of one trial, or of one track of it."""

    song: str
    track: str
    truth: float | None
    drift_ppm: float
    noise_db: int | None
    found: Alignment
    brief: bool = False

    @property
    def right(self) -> bool:
        """Within a millisecond."""
        return self.truth is not None and abs(self.found.offset_seconds - self.truth) <= RIGHT_SECONDS


def load_songs() -> dict[str, Song]:
    """The shared songs, tracks where they belong, and the demo, at the rate of alignment."""
    songs = {}
    for folder in sorted(path for path in SONGS.iterdir() if path.is_dir()):
        layout = read_layout(folder)
        if folder.name == MISPLACED[0]:
            offsets = {name: Offset(MISPLACED[1]) for name in layout.tracks if name != MISPLACED[2]}
            layout = replace(layout, offsets=offsets)
        songs[folder.name] = load_layout(layout, sample_rate=RATE)
    return songs | {"demo": make_demo_song(RATE).song}


def draw(song: Song, mixed: Song, rng: np.random.Generator, *, one_by_one: bool) -> Trial:
    """A trial with the tracks of one song and the mix of `mixed`, the same song or another."""
    drift = float(rng.choice(DRIFTS_PPM) * rng.choice([-1, 1]))
    noise = NOISES_DB[rng.integers(len(NOISES_DB))]
    mix_cut = _draw_cut(rng, mixed.samples, 1.0)
    mix = mix_cut.of(mixed.mix())
    if noise is not None:
        mix = mix + rng.normal(size=mix.shape) * np.sqrt(np.mean(mix**2)) * 10 ** (-noise / 20)
    middle = mix_cut.source(mix.shape[1] / 2)
    flip = rng.choice([-1, 1])
    tracks, truth, brief, cut = {}, {}, set[str](), None
    for name in song.tracks:
        if cut is None or one_by_one:
            least = SHARED_SECONDS if song is mixed else 0.0
            cut = _draw_partner(rng, song.samples, mix_cut, 1 + drift * 1e-6, least)
        samples = song.track(name)
        tracks[name] = cut.of(samples) * (flip if rng.random() < 0.9 else -flip)
        both = samples[:, max(cut.first, mix_cut.first) : min(cut.last, mix_cut.last)]
        brief |= set() if _heard(both) else {name}
        truth[name] = (mix.shape[1] / 2 - cut.place(middle)) / RATE if song is mixed else None
    aligned = Song.from_arrays(song.name, tracks, mix, RATE)
    return Trial(aligned, truth, frozenset(brief), 1e6 / (1 + drift * 1e-6) - 1e6, noise)


def _draw_cut(rng: np.random.Generator, samples: int, stretch: float) -> Cut:
    length = min(samples, round(rng.uniform(LEAST_SECONDS, MOST_SECONDS) * RATE))
    first = int(rng.integers(samples - length + 1))
    silence = round(rng.uniform(0, MOST_SILENCE) * RATE) * int(rng.integers(2))
    return Cut(first, first + length, silence, stretch)


def _draw_partner(rng: np.random.Generator, samples: int, mix: Cut, stretch: float, least: float) -> Cut:
    """A cut of the tracks with `least` seconds in common with that of the mix, no farther away than is looked for."""
    while True:
        cut = _draw_cut(rng, samples, stretch)
        shared = min(cut.last, mix.last) - max(cut.first, mix.first)
        enough = least == 0 or shared >= min(least * RATE, samples)
        if enough and abs(mix.place(mix.first) - cut.place(mix.first)) < 29 * RATE:
            return cut


def _heard(samples: np.ndarray) -> bool:
    seconds = samples.shape[1] // RATE
    blocks = samples[:, : seconds * RATE].reshape(len(samples), seconds, RATE)
    return int((np.sqrt(np.mean(blocks**2, axis=(0, 2))) > HEARD_LEVEL).sum()) >= HEARD_SECONDS


def whole_sets(songs: Mapping[str, Song], options: argparse.Namespace, *, wrong: bool) -> Iterator[Outcome]:
    """One outcome per trial."""
    for number, name in enumerate(songs):
        for index in range(options.trials):
            rng = np.random.default_rng([options.seed, number, index, wrong])
            mixed = _other(songs, name, rng) if wrong else name
            trial = draw(songs[name], songs[mixed], rng, one_by_one=False)
            found = find_alignment(trial.song)
            truth = next(iter(trial.truth.values()))
            yield Outcome(name, "", truth, trial.drift_ppm, trial.noise_db, found)
        say(f"whole set, {name}, {'wrong pairs' if wrong else 'right pairs'}: done")


def single_tracks(songs: Mapping[str, Song], options: argparse.Namespace, *, wrong: bool) -> Iterator[Outcome]:
    """One outcome per trial and track that is not silent."""
    for number, name in enumerate(songs):
        for index in range(options.track_trials):
            rng = np.random.default_rng([options.seed, number, index, 2 + wrong])
            mixed = _other(songs, name, rng) if wrong else name
            trial = draw(songs[name], songs[mixed], rng, one_by_one=True)
            for track, found in find_track_alignments(trial.song).items():
                if found.confidence:
                    how = trial.drift_ppm, trial.noise_db
                    yield Outcome(name, track, trial.truth[track], *how, found, track in trial.brief)
        say(f"per track, {name}, {'wrong pairs' if wrong else 'right pairs'}: done")


def _other(songs: Mapping[str, Song], name: str, rng: np.random.Generator) -> str:
    return str(rng.choice([other for other in songs if other != name]))


def rows(groups: Mapping[str, Sequence[Outcome]]) -> Iterator[list[Any]]:
    """A line per group: what was found of what is there, and what was claimed."""
    for label, outcomes in groups.items():
        there = [outcome for outcome in outcomes if outcome.truth is not None]
        trusted = [outcome for outcome in outcomes if outcome.found.trusted]
        right = sum(outcome.right for outcome in trusted)
        errors = [abs(o.found.drift_ppm - o.drift_ppm) for o in trusted if o.right and o.found.drift_error_ppm < 100]
        shares = [f"{np.median(errors):.1f}", f"{np.quantile(errors, 0.95):.1f}"] if errors else ["", ""]
        best = sum(outcome.right for outcome in there)
        yield [label, len(outcomes), best, right, len(outcomes) - len(trusted), len(trusted) - right, *shares]


def reliability(outcomes: Sequence[Outcome]) -> Iterator[list[Any]]:
    """How often what had such a confidence was right."""
    edges = (0.0, 0.1, 0.5, 0.9, 0.99, 1.0 + 1e-9)
    for low, high in pairwise(edges):
        inside = [outcome for outcome in outcomes if low <= outcome.found.confidence < high]
        if inside:
            mean = np.mean([outcome.found.confidence for outcome in inside])
            share = np.mean([outcome.right for outcome in inside])
            yield [f"{low:.2f} to {min(high, 1):.2f}", len(inside), f"{mean:.2f}", f"{share:.2f}"]


def report(title: str, right: Sequence[Outcome], wrong: Sequence[Outcome]) -> None:
    groups: dict[str, Sequence[Outcome]] = {}
    for name in dict.fromkeys(outcome.song for outcome in right):
        groups[name] = [outcome for outcome in right if outcome.song == name]
    for drift in DRIFTS_PPM:
        groups[f"drift {drift} ppm"] = [outcome for outcome in right if round(abs(outcome.drift_ppm)) == drift]
    for noise in NOISES_DB:
        label = "no noise" if noise is None else f"noise at -{noise} dB"
        groups[label] = [outcome for outcome in right if outcome.noise_db == noise]
    if any(outcome.brief for outcome in right):
        groups["heard for less than 3 s"] = [outcome for outcome in right if outcome.brief]
    groups |= {"right pairs": right, "wrong pairs": wrong}
    header = ["", "cases", "best match right", "right and trusted", "refused", "wrong and trusted"]
    table(title, [*header, "drift error (ppm), median", "95 %"], rows(groups))
    table(f"{title}: confidence", ["confidence", "cases", "mean", "share right"], reliability([*right, *wrong]))


def main() -> None:
    def add(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--trials", type=int, default=24, metavar="N", help="per song and kind (default 24)")
        parser.add_argument("--track-trials", type=int, default=6, metavar="N", help="the same, per track (default 6)")
        parser.add_argument("--seed", type=int, default=0, metavar="N")

    options = options_of(__doc__, add)
    songs = load_songs()
    whole = [list(whole_sets(songs, options, wrong=wrong)) for wrong in (False, True)]
    report("Whole set", *whole)
    single = [list(single_tracks(songs, options, wrong=wrong)) for wrong in (False, True)]
    report("Per track", *single)
    save(options, whole=_plain(whole), single=_plain(single))


def _plain(outcomes: Iterable[Iterable[Outcome]]) -> list[dict[str, Any]]:
    return [vars(o) | {"found": vars(o.found), "right": o.right} for kind in outcomes for o in kind]


if __name__ == "__main__":
    main()
