"""What a processor is: its parameters, its units, and its maths as one of three kinds.

A processor says what it is, not how it is scheduled. Dry/wet mixing, gain staging and batching are the renderer's
business. All tensors are batched over nodes: a signal is `(node, 2, time)`, a parameter `(node, *shape)`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from mixgraph.config import ProcessorConfig
from mixgraph.dsp.convolution import convolve
from mixgraph.registry import Registry

Parameters = Mapping[str, Tensor]


@dataclass(frozen=True)
class ParameterSpec:
    """One raw (unconstrained) parameter of one node: its name and its shape without the node axis."""

    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class ImpulseResponse:
    """Taps `(node, channels 1 or 2, taps)` and the index of the tap at time zero (0: causal)."""

    taps: Tensor
    origin: int = 0


class Processor(ABC):
    """An effect with learnable parameters. Abstract; subclass one of the three kinds below.

    `letter` is its short name in a console chain, `name` its long one in graphs and files.
    """

    name: ClassVar[str]
    letter: ClassVar[str]

    def __init__(self, sample_rate: int, config: ProcessorConfig) -> None:
        self.sample_rate = sample_rate
        self.config = config

    @property
    @abstractmethod
    def parameters(self) -> tuple[ParameterSpec, ...]:
        """The raw parameters of one node."""

    @abstractmethod
    def process(self, signal: Tensor, parameters: Parameters) -> Tensor:
        """The fully wet output, same shape as `signal` `(node, 2, time)`."""

    @abstractmethod
    def physical(self, parameters: Parameters) -> dict[str, Tensor]:
        """Raw parameters as physical values (dB, ms, Hz, ratio: the unit ends each name), `(node, ...)` each."""

    @abstractmethod
    def raw(self, physical: Parameters) -> dict[str, Tensor]:
        """Inverse of `physical`, up to what the raw form cannot express."""

    @abstractmethod
    def summary(self, physical: Parameters) -> str:
        """One node's physical values (no node axis) as a line for engineers, e.g. `threshold -22.0 dB, ratio 2.6:1`."""

    def penalty(self, parameters: Parameters) -> Tensor:
        """Regularisation of the parameters themselves, `(node,)`; zero unless a processor needs one."""
        first = next(iter(parameters.values()))
        return first.new_zeros(first.shape[0])


class ConvolutionProcessor(Processor):
    """Linear and time-invariant: the whole effect is an impulse response."""

    @property
    @abstractmethod
    def extent(self) -> tuple[int, int]:
        """How many samples the impulse response reaches before and after time zero; causal: (0, taps - 1)."""

    @abstractmethod
    def impulse_response(self, parameters: Parameters) -> ImpulseResponse:
        """The effect's impulse response per node."""

    def process(self, signal: Tensor, parameters: Parameters) -> Tensor:
        response = self.impulse_response(parameters)
        return convolve(signal, response.taps, origin=response.origin)


class DynamicsProcessor(Processor):
    """Level-dependent: a gain curve over time, the same on both channels."""

    @abstractmethod
    def gain(self, signal: Tensor, parameters: Parameters) -> Tensor:
        """Linear gain `(node, 1, time)` that multiplies the signal."""

    def process(self, signal: Tensor, parameters: Parameters) -> Tensor:
        return signal * self.gain(signal, parameters)


class MatrixProcessor(Processor):
    """Linear and memoryless: a 2x2 matrix over the channels."""

    @abstractmethod
    def matrix(self, parameters: Parameters) -> Tensor:
        """`(node, 2, 2)`: output channel, input channel."""

    def process(self, signal: Tensor, parameters: Parameters) -> Tensor:
        return torch.matmul(self.matrix(parameters), signal)


PROCESSORS: Registry[type[Processor]] = Registry("processor", "mixgraph.processors")
