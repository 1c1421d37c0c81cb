"""Gain and panning: one gain per channel (paper, section 3)."""

from __future__ import annotations

from typing import Final, final

import torch
from torch import Tensor

from mixgraph.dsp.units import DB_PER_NEPER
from mixgraph.processors.base import PROCESSORS, MatrixProcessor, Parameters, ParameterSpec

LOG_GAIN: Final = "log_gain"


@final
@PROCESSORS.register("gain_panning")
class GainPanning(MatrixProcessor):
    """y_x = exp(g_x) u_x for x in left, right."""

    name = "gain_panning"
    letter = "g"

    @property
    def parameters(self) -> tuple[ParameterSpec, ...]:
        return (ParameterSpec(LOG_GAIN, (2,)),)

    def matrix(self, parameters: Parameters) -> Tensor:
        return torch.diag_embed(torch.exp(parameters[LOG_GAIN]))

    def physical(self, parameters: Parameters) -> dict[str, Tensor]:
        return {"gain_db": DB_PER_NEPER * parameters[LOG_GAIN]}

    def raw(self, physical: Parameters) -> dict[str, Tensor]:
        return {LOG_GAIN: physical["gain_db"] / DB_PER_NEPER}

    def summary(self, physical: Parameters) -> str:
        left, right = physical["gain_db"].tolist()
        return f"left {left:+.1f} dB, right {right:+.1f} dB"
