"""Settings that an engineer might choose for a processor at its place, drawn in physical units.

One function per processor type; a type without one is not drawn.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
import torch
from torch import Tensor

from mixgraph.corpus.synthetic.bands import bell_db, high_pass_db, high_shelf_db, low_shelf_db
from mixgraph.corpus.synthetic.levels import Levels
from mixgraph.corpus.synthetic.ranges import Ranges
from mixgraph.processors.base import Processor
from mixgraph.processors.multitap_delay import MultitapDelay

ENERGY_FLOOR_MARGIN_DB: Final = 3.0
"""Thresholds stay so far above the energy that is added to envelopes, which hides all that is softer."""
GATED_SPAN_DB: Final = 10.0
"""A gate needs so much between the noise floor and the level of its input."""
NARROWEST_SIDE_DB: Final = -30.0
"""An imager needs a side signal that is not softer than this beside the mid."""
NOTES: Final = (1 / 16, 1 / 8, 3 / 16, 1 / 4)
"""Delay times as parts of a bar of four beats."""
SILENT_TAP_DB: Final = -90.0
TAP_RADIUS: Final = 0.99
BANDS_HZ: Final = (250.0, 4_000.0)


@final
@dataclass(frozen=True)
class Place:
    """Where a processor is to stand: the levels of what enters it, on a subgroup or not, and the song's tempo."""

    levels: Levels
    on_subgroup: bool
    tempo_bpm: float


@final
@dataclass(frozen=True)
class Settings:
    """Physical values without a node axis, as `Processor.physical` names them, in float64; and the dry/wet weight."""

    physical: Mapping[str, Tensor]
    dry_wet: float = 1.0


def draw_settings(processor: Processor, place: Place, ranges: Ranges, rng: random.Random) -> Settings | None:
    """Settings for one processor; None where none are plausible, such as a width for a mono signal."""
    draw = DRAWS.get(processor.name)
    return draw(processor, place, ranges, rng) if draw else None


def _equalizer(processor: Processor, place: Place, ranges: Ranges, rng: random.Random) -> Settings:
    bins = processor.config.equalizer_bins
    hz = np.arange(bins) * (processor.sample_rate / (2 * bins - 1))
    curve = np.zeros(bins)
    for _ in range(ranges.eq_bells.draw_whole(rng)):
        centre, gain, q = ranges.eq_bell_hz.draw(rng), ranges.eq_bell_db.draw_signed(rng), ranges.eq_bell_q.draw(rng)
        curve += bell_db(hz, centre, gain, q)
    if ranges.eq_shelf.draw(rng):
        curve += low_shelf_db(hz, ranges.eq_low_shelf_hz.draw(rng), ranges.eq_shelf_db.draw_signed(rng))
    if ranges.eq_shelf.draw(rng):
        curve += high_shelf_db(hz, ranges.eq_high_shelf_hz.draw(rng), ranges.eq_shelf_db.draw_signed(rng))
    if ranges.eq_high_pass.draw(rng) and not place.on_subgroup:
        curve += high_pass_db(hz, ranges.eq_high_pass_hz.draw(rng))
    return Settings({"magnitude_db": torch.from_numpy(curve)})


def _compressor(processor: Processor, place: Place, ranges: Ranges, rng: random.Random) -> Settings | None:
    threshold = place.levels.active_db - ranges.compressor_depth_db.draw(rng)
    if threshold < _lowest_threshold_db(processor):
        return None
    physical = {
        "threshold_db": threshold,
        "ratio": ranges.compressor_ratio.draw(rng),
        "knee_db": ranges.compressor_knee_db.draw(rng),
        "smoothing_ms": ranges.compressor_smoothing_ms.draw(rng),
    }
    return Settings(_scalars(physical), ranges.compressor_wet.draw(rng))


def _noise_gate(processor: Processor, place: Place, ranges: Ranges, rng: random.Random) -> Settings | None:
    floor = max(place.levels.floor_db, _lowest_threshold_db(processor))
    span = place.levels.active_db - floor
    if span < GATED_SPAN_DB:
        return None
    physical = {
        "threshold_db": floor + span * ranges.gate_height.draw(rng),
        "ratio": ranges.gate_ratio.draw(rng),
        "knee_db": ranges.gate_knee_db.draw(rng),
        "smoothing_ms": ranges.gate_smoothing_ms.draw(rng),
    }
    return Settings(_scalars(physical))


def _stereo_imager(_: Processor, place: Place, ranges: Ranges, rng: random.Random) -> Settings | None:
    if place.levels.side_db < NARROWEST_SIDE_DB:
        return None
    return Settings(_scalars({"side_gain_db": ranges.imager_side_db.draw_signed(rng)}))


def _gain_panning(_: Processor, place: Place, ranges: Ranges, rng: random.Random) -> Settings:
    if place.on_subgroup:
        gain = ranges.subgroup_gain_db.draw_signed(rng)
    else:
        gain = ranges.track_gain_db.clip(ranges.track_level_db.draw(rng) - place.levels.active_db)
    pan = ranges.pan.draw_signed(rng) if ranges.panned.draw(rng) else 0.0
    angle = (1 + pan) * math.pi / 4
    sides = [20 * math.log10(math.sqrt(2) * side) for side in (math.cos(angle), math.sin(angle))]
    return Settings({"gain_db": gain + torch.tensor(sides, dtype=torch.float64)})


def _multitap_delay(delay: MultitapDelay, place: Place, ranges: Ranges, rng: random.Random) -> Settings | None:
    bar = 240 / place.tempo_bpm * delay.sample_rate
    # Shorter ones would put two echoes into one slot.
    times = [time for note in NOTES if delay.slot <= (time := round(note * bar)) < delay.slots * delay.slot]
    if not times:
        return None
    time = rng.choice(times)
    echoes = min(ranges.delay_echoes.draw_whole(rng), (delay.slots * delay.slot - 1) // time)
    decay, damping = ranges.delay_decay_db.draw(rng), ranges.delay_damping_db.draw(rng)
    first_side, ping_pong = rng.randrange(2), ranges.delay_ping_pong.draw(rng)
    bins = delay.config.delay_color_bins
    onset = delay.slot * torch.arange(delay.slots, dtype=torch.float64).repeat(2, 1)
    color_db = torch.full((2, delay.slots, bins), SILENT_TAP_DB, dtype=torch.float64)
    slope = torch.linspace(0, 1, bins, dtype=torch.float64)
    for echo in range(1, echoes + 1):
        slot = echo * time // delay.slot
        sides = [(first_side + echo) % 2] if ping_pong else [0, 1]
        onset[sides, slot] = echo * time
        color_db[sides, slot] = -decay * (echo - 1) - damping * echo * slope
    physical = {
        "tap_time_ms": onset * (1000 / delay.sample_rate),
        "tap_radius": torch.full_like(onset, TAP_RADIUS),
        "color_db": color_db,
    }
    return Settings(physical, ranges.delay_wet.draw(rng))


def _reverb(processor: Processor, _: Place, ranges: Ranges, rng: random.Random) -> Settings:
    bins = processor.config.reverb_fft_size // 2 + 1
    hz = torch.linspace(0, processor.sample_rate / 2, bins, dtype=torch.float64)
    t60 = torch.full((bins,), ranges.reverb_t60_s.draw(rng), dtype=torch.float64)
    t60[hz < BANDS_HZ[0]] *= ranges.reverb_low_factor.draw(rng)
    t60[hz > BANDS_HZ[1]] *= ranges.reverb_high_factor.draw(rng)
    initial = ranges.reverb_tilt_db.draw(rng) * torch.linspace(0, 1, bins, dtype=torch.float64)
    sides = torch.stack([initial, initial + ranges.reverb_side_db.draw(rng)])
    return Settings({"initial_db": sides, "t60_s": t60.repeat(2, 1)}, ranges.reverb_wet.draw(rng))


def _lowest_threshold_db(processor: Processor) -> float:
    return 10 * math.log10(processor.config.dynamics_energy_floor) + ENERGY_FLOOR_MARGIN_DB


def _scalars(values: Mapping[str, float]) -> dict[str, Tensor]:
    return {name: torch.tensor(value, dtype=torch.float64) for name, value in values.items()}


Draw = Callable[[Any, Place, Ranges, random.Random], Settings | None]
DRAWS: Final[Mapping[str, Draw]] = {
    "equalizer": _equalizer,
    "compressor": _compressor,
    "noise_gate": _noise_gate,
    "stereo_imager": _stereo_imager,
    "gain_panning": _gain_panning,
    "multitap_delay": _multitap_delay,
    "reverb": _reverb,
}
