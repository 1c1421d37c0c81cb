"""Multitap delay: one coloured tap per channel and slot (paper, section 3)."""

from __future__ import annotations

from typing import Final, final

import torch
from torch import Tensor

from mixgraph.dsp.delay import colored_taps, normalize_gradient, tap_angle, tap_position, to_unit_disk
from mixgraph.dsp.fir import unit_energy, zero_phase_fir
from mixgraph.dsp.units import DB_PER_NEPER
from mixgraph.errors import ConfigError
from mixgraph.processors.base import PROCESSORS, ConvolutionProcessor, ImpulseResponse, Parameters, ParameterSpec

TAP: Final = "tap"
COLOR: Final = "color_log_magnitude"
MENTIONED: Final = 3


@final
@PROCESSORS.register("multitap_delay")
class MultitapDelay(ConvolutionProcessor):
    """Taps are channel-major: the first half of them is the left channel's, in order of slots."""

    name = "multitap_delay"
    letter = "d"

    @property
    def slot(self) -> int:
        """Samples in a slot."""
        samples = round(self.config.delay_slot_seconds * self.sample_rate)
        if samples < 2:
            seconds = self.config.delay_slot_seconds
            raise ConfigError(
                f"delay_slot_seconds = {seconds}: shorter than 2 samples at {self.sample_rate} Hz; raise it"
            )
        return samples

    @property
    def slots(self) -> int:
        """Slots, and taps, per channel."""
        count = round(self.config.delay_seconds / self.config.delay_slot_seconds)
        if count < 1:
            raise ConfigError(
                f"delay_seconds = {self.config.delay_seconds}: shorter than a slot "
                f"of {self.config.delay_slot_seconds} s; raise it or lower delay_slot_seconds"
            )
        return count

    @property
    def parameters(self) -> tuple[ParameterSpec, ...]:
        taps = 2 * self.slots
        return ParameterSpec(TAP, (taps, 2)), ParameterSpec(COLOR, (taps, self.config.delay_color_bins))

    @property
    def extent(self) -> tuple[int, int]:
        return 0, self.slot * self.slots - 1

    def impulse_response(self, parameters: Parameters) -> ImpulseResponse:
        zeta = to_unit_disk(normalize_gradient(_complex(parameters[TAP])))
        taps = colored_taps(zeta, zero_phase_fir(parameters[COLOR]), self.slot)
        return ImpulseResponse(unit_energy(taps.reshape(len(taps), 2, -1)))

    def penalty(self, parameters: Parameters) -> Tensor:
        return (1 - torch.tanh(_complex(parameters[TAP]).abs())).square().sum(-1)

    def physical(self, parameters: Parameters) -> dict[str, Tensor]:
        z = _complex(parameters[TAP]).unflatten(-1, (2, self.slots))
        start = self.slot * torch.arange(self.slots, device=z.device)
        return {
            "tap_time_ms": (start + tap_position(z, self.slot)) * (1000 / self.sample_rate),
            "tap_radius": torch.tanh(z.abs()),
            "color_db": DB_PER_NEPER * parameters[COLOR].unflatten(-2, (2, self.slots)),
        }

    def raw(self, physical: Parameters) -> dict[str, Tensor]:
        radius = physical["tap_radius"]
        start = self.slot * torch.arange(self.slots, device=radius.device)
        position = physical["tap_time_ms"] * (self.sample_rate / 1000) - start
        z = torch.polar(
            torch.atanh(radius.clamp(max=1 - torch.finfo(radius.dtype).eps)), tap_angle(position, self.slot)
        )
        return {
            TAP: torch.view_as_real(z.flatten(-2)),
            COLOR: physical["color_db"].flatten(-3, -2) / DB_PER_NEPER,
        }

    def summary(self, physical: Parameters) -> str:
        energy = zero_phase_fir(physical["color_db"].detach().double() / DB_PER_NEPER).square().sum(-1).flatten()
        level_db = 10 * torch.log10(2 * energy / energy.sum())
        times_ms = physical["tap_time_ms"].detach().flatten().clamp(min=0)
        strongest = level_db.argsort(descending=True, stable=True)[:MENTIONED].tolist()
        taps = (
            f"{times_ms[tap]:.0f} ms {'left' if tap < self.slots else 'right'} {level_db[tap]:+.1f} dB"
            for tap in strongest
        )
        return f"{len(energy)} taps, strongest {', '.join(taps)}"


def _complex(pairs: Tensor) -> Tensor:
    return torch.view_as_complex(pairs.contiguous())
