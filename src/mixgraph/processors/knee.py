"""What compressor and noise gate share: the envelope, four parameters and their units (paper, section 3)."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import ClassVar, Final, Literal

import torch
from torch import Tensor
from torch.nn.functional import softplus

from mixgraph.dsp.dynamics import Knee, envelope_gain
from mixgraph.dsp.units import DB_PER_LOG_ENERGY, inverse_softplus
from mixgraph.processors.base import DynamicsProcessor, Parameters, ParameterSpec

LOG_THRESHOLD: Final = "log_threshold"
LOG_RATIO: Final = "log_ratio"
LOG_KNEE: Final = "log_knee"
SMOOTHING: Final = "smoothing_logit"


class KneeProcessor(DynamicsProcessor):
    """A static curve with a quadratic knee over a one-pole energy envelope. Abstract; subclasses bend it."""

    sign: ClassVar[Literal[1, -1]]

    @abstractmethod
    def slope(self, ratio: Tensor) -> Tensor:
        """d(G_out - G) / d(sign (G - T)) beyond the knee."""

    @property
    def parameters(self) -> tuple[ParameterSpec, ...]:
        return tuple(ParameterSpec(name, ()) for name in (LOG_THRESHOLD, LOG_RATIO, LOG_KNEE, SMOOTHING))

    def knee(self, parameters: Parameters) -> Knee:
        """The parameters as the curve they stand for."""
        config = self.config
        # Half of a log energy is a log amplitude; the published code forgets the half.
        exponent = 0.5 if config.dynamics_form == "physical" else 1.0
        return Knee(
            threshold=parameters[LOG_THRESHOLD] - config.dynamics_threshold_offset,
            rate=exponent * self.slope(1 + torch.exp(parameters[LOG_RATIO])),
            half_knee=torch.exp(parameters[LOG_KNEE]) / 2,
            smoothing=torch.sigmoid(parameters[SMOOTHING]).clamp(max=config.dynamics_max_smoothing),
            sign=self.sign,
            floor=config.dynamics_energy_floor,
        )

    def gain(self, signal: Tensor, parameters: Parameters) -> Tensor:
        return envelope_gain(signal, self.knee(parameters))

    def physical(self, parameters: Parameters) -> dict[str, Tensor]:
        # Minus the log of the smoothing coefficient: the decay in nepers per sample.
        decay = softplus(-parameters[SMOOTHING]).clamp(min=-math.log(self.config.dynamics_max_smoothing))
        return {
            "threshold_db": DB_PER_LOG_ENERGY * (parameters[LOG_THRESHOLD] - self.config.dynamics_threshold_offset),
            "ratio": 1 + torch.exp(parameters[LOG_RATIO]),
            "knee_db": DB_PER_LOG_ENERGY * torch.exp(parameters[LOG_KNEE]),
            "smoothing_ms": 1000 / (self.sample_rate * decay),
        }

    def raw(self, physical: Parameters) -> dict[str, Tensor]:
        decay = 1000 / (self.sample_rate * physical["smoothing_ms"])
        return {
            LOG_THRESHOLD: physical["threshold_db"] / DB_PER_LOG_ENERGY + self.config.dynamics_threshold_offset,
            LOG_RATIO: torch.log((physical["ratio"] - 1).clamp(min=1e-12)),
            LOG_KNEE: torch.log(physical["knee_db"] / DB_PER_LOG_ENERGY),
            SMOOTHING: -inverse_softplus(decay),
        }
