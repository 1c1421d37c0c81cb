"""How much later the tracks of a song must start to lie under its mix, how sure that is, and whether clocks differ."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import soxr

from mixgraph.audio.drift import MAX_DRIFT
from mixgraph.audio.matching import find_line, whiten
from mixgraph.audio.song import Recording, Song
from mixgraph.audio.song_file import Layout, Offset
from mixgraph.errors import ConfigError, SongError

RATE = 16_000  # Hz that suffice: peaks are found between samples
SILENT = 3e-4  # of the loudest track's peak: dither is no track
CANCELLED = 0.01  # of the power: a mono sum with less is made of channels of opposite polarity
ACTIVE = 0.01  # of the peak: samples from here on make up a track's level
MAX_OFFSET_SECONDS = 30.0
TRUSTED = 0.9  # confidence
TELLING_PPM = 30.0  # error of a drift from which on a track takes that of others
KNOWN_DRIFT = 5e-6  # error of a drift that others tell
UNSURE_SECONDS = 2.5e-3  # that the drift may shift a track by between where it is heard and the middle of the mix
SAME_SECONDS = 2e-4  # that a track may differ from the set: less is the error of its own offset

# The margin at which right and wrong are equally likely, and how steep confidence is there: see docs/alignment.md.
EVEN_MARGIN = 1.17
MARGIN_STEP = 0.025


@dataclass(frozen=True)
class Alignment:
    """How much later tracks must start (s; negative: their head is cut) than they do now.

    `offset_seconds` holds in the middle of the mix; where clocks differ it grows by `drift_ppm` microseconds each
    second, whose standard error is `drift_error_ppm` (500 where too little is heard to tell). `confidence` is 0 to 1.
    `refusal` says why the offset must not be used; it is empty where it may be.
    """

    offset_seconds: float
    confidence: float
    drift_ppm: float
    drift_error_ppm: float
    refusal: str = ""

    @property
    def trusted(self) -> bool:
        """Whether it may be used."""
        return not self.refusal

    @property
    def drifts(self) -> bool:
        """Whether the clocks differ for sure."""
        return abs(self.drift_ppm) > max(1.0, 3 * self.drift_error_ppm)


def find_alignment(song: Song, *, max_offset_seconds: float = MAX_OFFSET_SECONDS) -> Alignment:
    """One offset for all tracks, found by their sum at equal levels; on top of the offsets that they have already.

    Raises `SongError` for a song without a mix. Where there is no finding, the alignment has a `refusal`.
    """
    target = _Target.of(song, max_offset_seconds)
    sounding = _sounding(song)
    if not sounding:
        return _nothing("all tracks are silent")
    return target.find(*_sum(sounding.values(), song.sample_rate, target.rate))


def find_track_alignments(
    song: Song, *, max_offset_seconds: float = MAX_OFFSET_SECONDS, drift_ppm: float | None = None
) -> dict[str, Alignment]:
    """An offset for each track by itself, as `find_alignment` does it; `drift_ppm` is the drift of them all, if known.

    Where it is not, tracks that are heard too little to tell are taken to drift like those that tell.
    """
    target = _Target.of(song, max_offset_seconds)
    found = dict.fromkeys(song.tracks, _nothing("the track is silent"))
    sounding = _sounding(song)

    def find(name: str, drift: float | None) -> Alignment:
        recording = sounding[name]
        samples = _resampled(_mono(recording), song.sample_rate, target.rate)
        return target.find(samples, recording.start / song.sample_rate, drift)

    found |= {name: find(name, drift_ppm) for name in sounding}
    told = [one for one in found.values() if one.trusted and one.drift_error_ppm < TELLING_PPM]
    if drift_ppm is None and told:
        common = float(np.average([one.drift_ppm for one in told], weights=[one.drift_error_ppm**-2 for one in told]))
        untold = [name for name in sounding if found[name].confidence and found[name].drift_error_ppm >= TELLING_PPM]
        found |= {name: find(name, common) for name in untold}
    return found


def settled(whole: Alignment, tracks: Mapping[str, Alignment]) -> dict[str, Alignment]:
    """What goes for each track: its own alignment if that is trusted and not the set's all but for its error.

    Where neither is trusted it is the refused one, and nothing for a track in which nothing is heard.
    """
    chosen: dict[str, Alignment] = {}
    for name, own in tracks.items():
        same = abs(own.offset_seconds - whole.offset_seconds) < SAME_SECONDS
        if whole.trusted and (same or not own.trusted):
            chosen[name] = whole
        elif own.confidence:
            chosen[name] = own
    return chosen


def aligned(song: Song | Layout, found: Alignment | Mapping[str, Alignment]) -> Layout:
    """The song's files with offsets that `found` adds to, for all tracks or for those named; load it to hear it.

    Raises `SongError` where an alignment is refused.
    """
    layout = song.layout if isinstance(song, Song) else song
    each = found if isinstance(found, Mapping) else dict.fromkeys(layout.tracks, found)
    offsets = dict(layout.offsets)
    for name, alignment in each.items():
        if alignment.refusal:
            who = f"track '{name}'" if isinstance(found, Mapping) else "the tracks"
            cure = "look farther with a larger maximum offset, or set [offsets] in song.toml by hand"
            raise SongError(f"{layout.name}: {who} cannot be aligned: {alignment.refusal}; {cure}")
        before = offsets.get(name, Offset())
        offsets[name] = replace(before, seconds=before.seconds + alignment.offset_seconds)
    return replace(layout, offsets=offsets)


@dataclass(frozen=True)
class _Target:
    """A whitened mix (channels, samples) at `rate`, and how far (s) tracks may be off."""

    white: np.ndarray
    rate: int
    reach: float

    @classmethod
    def of(cls, song: Song, reach: float) -> _Target:
        if not song.has_mix:
            raise SongError(f"{song.name}: has no mix to align its tracks with; load it with one")
        if not 0 < reach < math.inf:
            raise ConfigError(f"max_offset_seconds = {reach:g}; give seconds above 0")
        rate, mix = min(RATE, song.sample_rate), song.mix()
        channels = mix[:1] if np.array_equal(*mix) else mix
        return cls(np.stack([whiten(_resampled(row, song.sample_rate, rate), rate) for row in channels]), rate, reach)

    def find(self, sought: np.ndarray, start: float, drift_ppm: float | None = None) -> Alignment:
        """The alignment of samples at `rate` that start at `start` (s) now; `drift_ppm` is their drift, if known."""
        line = find_line(sought, start, self.white, self.rate, self.reach, (drift_ppm or 0.0) * 1e-6)
        if line is None:
            return _nothing("nothing in it is loud enough where it could overlap with the mix")
        if drift_ppm is not None and line.drift_error > TELLING_PPM * 1e-6:
            lag = line.lag + (line.drift - drift_ppm * 1e-6) * line.heard_at
            line = replace(line, lag=lag, drift=drift_ppm * 1e-6, drift_error=KNOWN_DRIFT)
        # What comes to lie in the middle of the mix is found at the time t with t + lag + drift * t = middle.
        middle = self.white.shape[1] / self.rate / 2 - start
        offset = line.lag + line.drift * (middle - line.lag) / (1 + line.drift)
        confidence = 1 / (1 + math.exp((EVEN_MARGIN - min(line.margin, 10.0)) / MARGIN_STEP))
        refusal = ""
        if confidence < TRUSTED:
            refusal = f"the best match, at {offset:+.3f} s, is hardly better than others (confidence {confidence:.0%})"
        elif abs(middle - line.lag - line.heard_at) * line.drift_error > UNSURE_SECONDS:
            refusal = f"the best match, at {offset:+.3f} s, is far from the middle of the mix, and its drift unknown"
        return Alignment(offset, confidence, line.drift * 1e6, line.drift_error * 1e6, refusal)


def _nothing(refusal: str) -> Alignment:
    return Alignment(0.0, 0.0, 0.0, MAX_DRIFT * 1e6, refusal)


def _sounding(song: Song) -> dict[str, Recording]:
    """The tracks that are not silent, with what lies beyond the mix: it may belong into it."""
    recordings = song._open()
    peaks = {name: float(np.abs(recording.frames).max(initial=0)) for name, recording in recordings.items()}
    return {name: recordings[name] for name, peak in peaks.items() if peak > SILENT * max(peaks.values())}


def _sum(recordings: Iterable[Recording], song_rate: int, rate: int) -> tuple[np.ndarray, float]:
    """All tracks at equal levels, whatever their gains in the mix are, and when (s) that sum starts."""
    tracks = [(recording.start / song_rate, _mono(recording)) for recording in recordings]
    first = min(start for start, _ in tracks)
    total = np.zeros(0, np.float32)
    for start, samples in tracks:
        loud = np.abs(samples)
        level = float(np.sqrt(np.mean(np.square(samples[loud > ACTIVE * loud.max()], dtype=np.float64))))
        added, at = _resampled(samples, song_rate, rate), round((start - first) * rate)
        total = np.pad(total, (0, max(0, at + len(added) - len(total))))
        total[at : at + len(added)] += added / level
    return total, first


def _mono(recording: Recording) -> np.ndarray:
    """Float32 (samples,): both channels, or the left one where they would cancel each other."""
    channels = recording.frames.T
    mean = channels.mean(axis=0, dtype=np.float32)
    return mean if np.vdot(mean, mean) > CANCELLED * np.vdot(channels[0], channels[0]) else channels[0]


def _resampled(samples: np.ndarray, song_rate: int, rate: int) -> np.ndarray:
    return samples if song_rate == rate else soxr.resample(samples, song_rate, rate)
