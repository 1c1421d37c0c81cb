"""Finds what describes a processor: its type's own file, else what all of its kind have in common."""

from __future__ import annotations

from mixgraph.processors.base import ConvolutionProcessor, MatrixProcessor
from mixgraph.processors.equalizer import Equalizer
from mixgraph.processors.gain_panning import GainPanning
from mixgraph.processors.knee import KneeProcessor
from mixgraph.processors.multitap_delay import MultitapDelay
from mixgraph.processors.reverb import Reverb
from mixgraph.processors.stereo_imager import StereoImager
from mixgraph.report.effects import equalizer, knee, matrix, multitap_delay, reverb
from mixgraph.report.effects.base import Description, Found, mixed


def describe(found: Found) -> Description:
    """Words, settings and charts of one processor, whatever package it comes from."""
    match found.processor:
        case Equalizer() as processor:
            return equalizer.describe(found, processor)
        case KneeProcessor() as processor:
            return knee.describe(found, processor)
        case GainPanning() as processor:
            return matrix.describe_gain(found, processor)
        case StereoImager() as processor:
            return matrix.describe_width(found, processor)
        case MultitapDelay() as processor:
            return multitap_delay.describe(found, processor)
        case Reverb() as processor:
            return reverb.describe(found, processor)
        case MatrixProcessor() as processor:
            return matrix.describe_matrix(found, processor)
        case ConvolutionProcessor() as processor:
            return equalizer.describe_response(found, processor)
    summary = found.processor.summary(found.physical)
    return Description(f"{summary}{mixed(found.wet)}", (("Settings", summary),))
