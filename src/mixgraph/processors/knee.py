"""What compressor and noise gate share: the envelope, four parameters and their units (paper, section 3)."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import softplus

from mixgraph.dsp.envelope import MAX_SMOOTHING, channel_energy, one_pole, smoothing_from_logit
from mixgraph.dsp.units import DB_PER_LOG_ENERGY, inverse_softplus
from mixgraph.processors.base import DynamicsProcessor, Parameters, ParameterSpec

LOG_THRESHOLD: Final = "log_threshold"
LOG_RATIO: Final = "log_ratio"
LOG_KNEE: Final = "log_knee"
SMOOTHING: Final = "smoothing_logit"
THRESHOLD_OFFSET: Final = 6


class KneeProcessor(DynamicsProcessor):
    """A static curve with a quadratic knee over a one-pole energy envelope. Abstract; subclasses give the curve."""

    @abstractmethod
    def curve(self, envelope: Tensor, threshold: Tensor, ratio: Tensor, half_knee: Tensor, exponent: float) -> Tensor:
        """exp(exponent (G_out - G)) `(node, time)` of the energy `envelope (node, time)`; the others `(node,)`."""

    @property
    def parameters(self) -> tuple[ParameterSpec, ...]:
        return tuple(ParameterSpec(name, ()) for name in (LOG_THRESHOLD, LOG_RATIO, LOG_KNEE, SMOOTHING))

    def gain(self, signal: Tensor, parameters: Parameters) -> Tensor:
        envelope = one_pole(channel_energy(signal), smoothing_from_logit(parameters[SMOOTHING]))
        return self.curve(
            envelope,
            parameters[LOG_THRESHOLD] - THRESHOLD_OFFSET,
            1 + torch.exp(parameters[LOG_RATIO]),
            torch.exp(parameters[LOG_KNEE]) / 2,
            # Half of a log energy is a log amplitude; the published code forgets the half.
            0.5 if self.config.dynamics_form == "physical" else 1.0,
        )[:, None]

    def physical(self, parameters: Parameters) -> dict[str, Tensor]:
        # Minus the log of the smoothing coefficient: the decay in nepers per sample.
        decay = softplus(-parameters[SMOOTHING]).clamp(min=-math.log(MAX_SMOOTHING))
        return {
            "threshold_db": DB_PER_LOG_ENERGY * (parameters[LOG_THRESHOLD] - THRESHOLD_OFFSET),
            "ratio": 1 + torch.exp(parameters[LOG_RATIO]),
            "knee_db": DB_PER_LOG_ENERGY * torch.exp(parameters[LOG_KNEE]),
            "smoothing_ms": 1000 / (self.sample_rate * decay),
        }

    def raw(self, physical: Parameters) -> dict[str, Tensor]:
        decay = 1000 / (self.sample_rate * physical["smoothing_ms"])
        return {
            LOG_THRESHOLD: physical["threshold_db"] / DB_PER_LOG_ENERGY + THRESHOLD_OFFSET,
            LOG_RATIO: torch.log((physical["ratio"] - 1).clamp(min=1e-12)),
            LOG_KNEE: torch.log(physical["knee_db"] / DB_PER_LOG_ENERGY),
            SMOOTHING: -inverse_softplus(decay),
        }
