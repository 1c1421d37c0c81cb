"""What synthetic mixes are drawn from: every range and every chance, in the one place where they stand."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, final


@final
@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, drawn evenly, or evenly on a logarithmic scale."""

    low: float
    high: float
    unit: str
    what: str
    log: bool = False

    def draw(self, rng: random.Random) -> float:
        """A number of the range."""
        if self.log:
            return self.low * (self.high / self.low) ** rng.random()
        return rng.uniform(self.low, self.high)

    def draw_whole(self, rng: random.Random) -> int:
        """A whole number of the range."""
        return rng.randint(round(self.low), round(self.high))

    def draw_signed(self, rng: random.Random) -> float:
        """A number of the range, or that much downwards."""
        return rng.choice((-1, 1)) * self.draw(rng)

    def clip(self, value: float) -> float:
        """The number of the range that is nearest."""
        return min(max(value, self.low), self.high)

    def __str__(self) -> str:
        span = f"{self.low:,g} to {self.high:,g}" + (f" {self.unit}" if self.unit else "")
        return f"{span}, logarithmic" if self.log else span


@final
@dataclass(frozen=True)
class Chance:
    """How often something is there."""

    share: float
    what: str

    def draw(self, rng: random.Random) -> bool:
        """Whether it is there now."""
        return rng.random() < self.share

    def __str__(self) -> str:
        return f"{self.share:.0%}"


PRESENCE: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "equalizer": (0.6, 0.4),
        "compressor": (0.5, 0.4),
        "noise_gate": (0.5, 0.05),
        "stereo_imager": (0.4, 0.3),
        "gain_panning": (0.9, 0.5),
        "multitap_delay": (0.2, 0.05),
        "reverb": (0.35, 0.2),
    }
)


@final
@dataclass(frozen=True)
class Ranges:
    """All ranges, in the order of the console; `dataclasses.replace` makes others.

    Levels are those of the signal at that place (`mixgraph.corpus.synthetic.levels`). `presence` is the share of tracks
    and of subgroups that have a processor of a type, before those that nobody would hear are taken out.
    """

    presence: Mapping[str, tuple[float, float]] = field(default_factory=lambda: PRESENCE)

    eq_bells: Range = Range(1, 3, "", "bells of an equaliser")
    eq_bell_hz: Range = Range(80, 8_000, "Hz", "centre of a bell", log=True)
    eq_bell_db: Range = Range(3, 9, "dB", "gain of a bell, up or down")
    eq_bell_q: Range = Range(0.5, 3, "", "Q of a bell", log=True)
    eq_shelf: Chance = Chance(0.35, "a low shelf, and as often a high one")
    eq_low_shelf_hz: Range = Range(80, 250, "Hz", "corner of a low shelf", log=True)
    eq_high_shelf_hz: Range = Range(2_500, 8_000, "Hz", "corner of a high shelf", log=True)
    eq_shelf_db: Range = Range(3, 9, "dB", "gain of a shelf, up or down")
    eq_high_pass: Chance = Chance(0.3, "a high-pass of 12 dB per octave in the equaliser of a track")
    eq_high_pass_hz: Range = Range(40, 200, "Hz", "its corner", log=True)

    compressor_depth_db: Range = Range(
        0, 12, "dB", "how far a compressor's threshold lies below the level of its input"
    )
    compressor_ratio: Range = Range(1.5, 8, ": 1", "its ratio", log=True)
    compressor_knee_db: Range = Range(1, 12, "dB", "width of its knee")
    compressor_smoothing_ms: Range = Range(3, 100, "ms", "its time constant, one for attack and release", log=True)
    compressor_wet: Range = Range(0.7, 1, "", "its dry/wet weight; below 1 it is parallel compression")

    gate_height: Range = Range(
        0.1, 0.7, "", "a gate's threshold, from the noise floor (0) to the level (1) of its input"
    )
    gate_ratio: Range = Range(1.5, 6, ": 1", "its ratio", log=True)
    gate_knee_db: Range = Range(1, 6, "dB", "width of its knee")
    gate_smoothing_ms: Range = Range(5, 100, "ms", "its time constant, one for attack and release", log=True)

    imager_side_db: Range = Range(3, 9, "dB", "gain of the side signal, up or down")

    track_level_db: Range = Range(-32, -18, "dB", "level to which a track's gain brings it")
    track_gain_db: Range = Range(-18, 18, "dB", "that gain goes no further than this")
    subgroup_gain_db: Range = Range(1, 6, "dB", "gain of a subgroup, up or down")
    panned: Chance = Chance(0.6, "a gain that also pans, at constant power")
    pan: Range = Range(0.15, 0.9, "", "how far from the centre (1: hard left or right)")

    delay_tempo_bpm: Range = Range(80, 160, "bpm", "tempo of the song: its delays last 1/16 to 1/4 of a bar")
    delay_echoes: Range = Range(1, 5, "", "echoes of a delay")
    delay_decay_db: Range = Range(3, 9, "dB", "how much softer each echo is than the one before")
    delay_damping_db: Range = Range(0, 6, "dB", "how much more it loses at the top of the spectrum")
    delay_ping_pong: Chance = Chance(0.4, "echoes that jump from side to side")
    delay_wet: Range = Range(0.1, 0.35, "", "dry/wet weight of a delay")

    reverb_t60_s: Range = Range(0.3, 3, "s", "T60 of a reverb from 250 Hz to 4 kHz", log=True)
    reverb_low_factor: Range = Range(1, 1.4, "", "T60 below 250 Hz, as a multiple of that")
    reverb_high_factor: Range = Range(0.3, 0.9, "", "T60 above 4 kHz, as a multiple of that")
    reverb_tilt_db: Range = Range(-9, 0, "dB", "how the first sound falls from the bottom to the top of the spectrum")
    reverb_side_db: Range = Range(-6, 0, "dB", "its side signal beside its mid")
    reverb_wet: Range = Range(0.08, 0.35, "", "dry/wet weight of a reverb")

    mix_level_db: Range = Range(-22, -15, "dB", "level of the mix, by one common change of all gains")
    mix_peak_db: Range = Range(-3, -1, "dB", "its highest peak: where needed, the level is lower")

    def settings(self) -> Iterator[tuple[str, Range | Chance]]:
        """Every range and chance by its name."""
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, Range | Chance):
                yield item.name, value

    def to_json(self) -> dict[str, Any]:
        """The numbers alone."""
        numbers = {
            name: value.share if isinstance(value, Chance) else [value.low, value.high]
            for name, value in self.settings()
        }
        return {"presence": {kind: list(chances) for kind, chances in self.presence.items()}} | numbers


def range_table(ranges: Ranges) -> str:
    """The ranges as a Markdown table, for `docs/synthetic.md`."""
    rows = [f"| `{name}` | {value} | {value.what} |" for name, value in ranges.settings()]
    return "\n".join(["| setting | from, to | of what |", "|---|---|---|", *rows]) + "\n"


def presence_table(ranges: Ranges) -> str:
    """How often a processor is drawn, as a Markdown table."""
    rows = [f"| {kind} | {track:.0%} | {subgroup:.0%} |" for kind, (track, subgroup) in ranges.presence.items()]
    return "\n".join(["| processor | of the tracks | of the subgroups |", "|---|---|---|", *rows]) + "\n"
