"""Stereo imager: the gain of the side signal (paper, section 3)."""

from __future__ import annotations

from typing import Final, final

import torch
from torch import Tensor

from mixgraph.dsp.stereo import width_matrix
from mixgraph.dsp.units import DB_PER_NEPER
from mixgraph.processors.base import PROCESSORS, MatrixProcessor, Parameters, ParameterSpec

LOG_GAIN: Final = "log_gain"


@final
@PROCESSORS.register("stereo_imager")
class StereoImager(MatrixProcessor):
    """Mid unchanged, side times exp(g)."""

    name = "stereo_imager"
    letter = "s"

    @property
    def parameters(self) -> tuple[ParameterSpec, ...]:
        return (ParameterSpec(LOG_GAIN, ()),)

    def matrix(self, parameters: Parameters) -> Tensor:
        return width_matrix(torch.exp(parameters[LOG_GAIN]))

    def physical(self, parameters: Parameters) -> dict[str, Tensor]:
        return {"side_gain_db": DB_PER_NEPER * parameters[LOG_GAIN]}

    def raw(self, physical: Parameters) -> dict[str, Tensor]:
        return {LOG_GAIN: physical["side_gain_db"] / DB_PER_NEPER}

    def summary(self, physical: Parameters) -> str:
        return f"side {float(physical['side_gain_db']):+.1f} dB"
