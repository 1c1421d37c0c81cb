"""Every number of the method as a typed, frozen setting. Defaults are the paper's (arXiv 2406.01049) unless said.

Field names are unique across the sections: the command line makes a flag of each (`console_steps` → `--console-steps`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mixgraph.errors import ConfigError
from mixgraph.files import read_toml


class Section(BaseModel):
    """A frozen group of settings that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class AudioConfig(Section):
    """How audio is read."""

    sample_rate: int = Field(default=30_000, ge=8_000, le=192_000, description="Hz at which everything is computed")
    segment_seconds: float = Field(default=3.8, gt=0, description="length of a training or evaluation segment")
    memory_budget_mb: int = Field(
        default=4_096,
        ge=0,
        description="decoded audio up to this size stays in memory; more is kept in a temporary file",
    )


class ConsoleConfig(Section):
    """The console that a search starts from (paper, section 3)."""

    chain: str = Field(
        default="ecnsgdr", description="processors of every track and subgroup, in order; letters of ecnsgdr"
    )
    use_subgroups: bool = Field(default=True, description="false: every track is its own subgroup")


class ProcessorConfig(Section):
    """Sizes and forms of the processors (paper, section 3 and appendix)."""

    equalizer_bins: int = Field(default=1_024, ge=4, description="log-magnitude bins; the FIR has 2 * bins - 1 taps")
    dynamics_form: Literal["physical", "published"] = Field(
        default="physical",
        description="physical: gain exp((G_out - G) / 2), a ratio means what it says; published: exp(G_out - G)",
    )
    dynamics_threshold_offset: float = Field(
        default=6.0, description="the raw log-energy threshold of compressor and gate counts from minus this"
    )
    dynamics_energy_floor: float = Field(
        default=1e-5, gt=0, description="added to the energy envelope before its logarithm is taken"
    )
    dynamics_max_smoothing: float = Field(
        default=1 - 1e-5, gt=0, lt=1, description="largest one-pole coefficient of the energy envelope"
    )
    delay_seconds: float = Field(default=2.0, gt=0, description="length of the multitap delay")
    delay_slot_seconds: float = Field(default=0.1, gt=0, description="one tap per channel in each slot of this length")
    delay_color_bins: int = Field(default=20, ge=2, description="log-magnitude bins of each tap's filter")
    reverb_seconds: float = Field(default=2.0, gt=0, description="length of the reverb's impulse response")
    reverb_fft_size: int = Field(
        default=384, ge=16, multiple_of=2, description="FFT size of the reverb's noise mask; the hop is half of it"
    )
    reverb_noise_seed: int = Field(default=0, ge=0, description="seed of the fixed noise pair shared by all reverbs")


class RenderConfig(Section):
    """How graphs are computed; without the passes, as GRAFX does (arXiv 2408.03204). The audio is the same."""

    schedule: Literal["fixed", "greedy", "beam", "one_by_one"] = Field(
        default="fixed", description="which nodes of one type are computed together"
    )
    fuse_linear: bool = Field(
        default=True,
        description="keep signals as spectra through runs of linear processors; gain staging then counts their tails",
    )
    compiled: bool = Field(default=True, description="compiled loops for compressors and gates on the CPU")
    skip_silence: bool = Field(default=True, description="leave out what only silent tracks feed")


class LossConfig(Section):
    """The audio loss and its regularisers (paper, section 4)."""

    fft_sizes: tuple[int, ...] = Field(
        default=(512, 1_024, 4_096), min_length=1, description="STFT resolutions; hops are a quarter"
    )
    mel_bands: int = Field(default=96, ge=1, description="mel bands per resolution")
    weighting_taps: int = Field(default=101, ge=3, description="taps of the A-weighting FIR (odd)")
    power_floor: float = Field(default=1e-4, gt=0, description="STFT power is clamped here from below")
    warm_up_seconds: float = Field(
        default=1.0, ge=0, description="start of each segment that is rendered but not compared"
    )
    left_right_weight: float = Field(default=0.5, ge=0, description="weight of the mean of the left and right losses")
    mid_weight: float = Field(default=0.25, ge=0, description="weight of the mid loss")
    side_weight: float = Field(default=0.25, ge=0, description="weight of the side loss")
    convergence: Literal["target", "published"] = Field(
        default="target",
        description="norm that divides spectral convergence: the target's, or (published code) the estimate's",
    )
    gain_staging_weight: float = Field(default=1e-3, ge=0, description="weight of the gain-staging loss")
    gain_staging_types: str = Field(
        default="edr", description="processor letters under gain staging (published code: er)"
    )
    gain_staging_signal: Literal["mid", "stereo"] = Field(
        default="mid", description="signal whose level is kept (published code: stereo)"
    )
    radius_weight: float = Field(default=0.5, ge=0, description="weight of the delays' radius penalty")
    sparsity_weight: float = Field(
        default=1e-4, ge=0, description="weight of the sum of dry/wet weights at the end of its ramp"
    )
    sparsity_ramp_steps: int = Field(
        default=2_000, ge=0, description="fine-tuning steps over which sparsity rises from zero"
    )


class FitConfig(Section):
    """Gradient descent on the console (paper, section 4)."""

    console_steps: int = Field(
        default=6_000, ge=0, description="steps before the first pruning (full console alone: 12000)"
    )
    optimiser: Literal["adamw", "nadam"] = Field(
        default="adamw", description="nadam: with Nesterov's momentum, which looks a step ahead"
    )
    learning_rate: float = Field(default=0.01, gt=0, description="learning rate, at the peak of its schedule")
    learning_rate_schedule: Literal["constant", "one_cycle", "trapezoid"] = Field(
        default="constant", description="learning rate over the steps of the console fit, and of each fine-tuning"
    )
    gradient_decay: float = Field(
        default=0.9, ge=0, lt=1, description="the optimiser's beta 1: share of the gradient kept a step"
    )
    squared_gradient_decay: float = Field(
        default=0.999, ge=0, lt=1, description="the optimiser's beta 2: the same of squared gradients"
    )
    equalizer_rate: float = Field(default=1.0, gt=0, description="equalisers' magnitudes learn so many times as fast")
    segment_draw: Literal["uniform", "golden_ratio"] = Field(
        default="uniform",
        description="how steps draw segments; golden_ratio: evenly over the song, in each step and over all",
    )
    segments_per_step: int = Field(
        default=1, ge=1, le=64, description="segments whose gradients a step averages; on the CPU side by side"
    )
    restart_steps: int = Field(
        default=0, ge=0, description="forget the optimiser's state every so many steps; 0: never (published code: 500)"
    )
    initial_std: float = Field(default=0.01, ge=0, description="standard deviation of the initial parameters")
    start: Literal["published", "least_squares"] = Field(
        default="published",
        description="least_squares: gains start at the non-negative least-squares mix of the tracks",
    )


class PruneConfig(Section):
    """Alternating pruning and fine-tuning (paper, section 5)."""

    strategy: str = Field(default="hybrid", description="brute_force, dry_wet, hybrid, fisher or probe")
    tolerance: float = Field(default=0.01, ge=0, description="loss increase that a trial may cost")
    rounds: int = Field(default=12, ge=0, description="rounds of pruning, each followed by fine-tuning")
    fine_tune_steps: int = Field(default=500, ge=0, description="steps after each round of pruning")
    fine_tune_learning_rate: float = Field(default=0.01, gt=0, description="learning rate after pruning")
    candidate_ratio: float = Field(
        default=0.1,
        gt=0,
        le=1,
        description="share of a type tried at once by dry_wet; of all, at first, by fisher and probe",
    )
    patience: int = Field(
        default=8, ge=1, description="fisher and probe end a round when so many single processors in a row were refused"
    )
    fisher_segments: int = Field(default=16, ge=1, description="segments whose gradients give fisher's order")
    probe_segments: int = Field(default=3, ge=1, description="segments on which probe tries each processor alone")
    trial_error: float = Field(
        default=0.0,
        ge=0,
        lt=0.5,
        description="a trial may be refused early where a t test is sure to this error; 0: only where its sum is",
    )
    trial_memory_mb: int = Field(default=2_048, ge=0, description="signals kept between trials up to this size")
    brute_force_every: int = Field(default=4, ge=1, description="every so many rounds hybrid uses brute force")
    evaluation_hop_seconds: float = Field(default=2.8, gt=0, description="hop between evaluation segments")
    trial_segments: int = Field(
        default=0,
        ge=0,
        description="evaluation segments that judge a trial, chosen so that every track is heard; 0: all",
    )


class SearchConfig(Section):
    """All settings of a search. `SearchConfig()` is the paper's text; see `preset` for ready-made ones."""

    audio: AudioConfig = AudioConfig()
    console: ConsoleConfig = ConsoleConfig()
    processors: ProcessorConfig = ProcessorConfig()
    render: RenderConfig = RenderConfig()
    loss: LossConfig = LossConfig()
    fit: FitConfig = FitConfig()
    prune: PruneConfig = PruneConfig()
    seed: int = Field(default=0, ge=0, description="seed of everything random")

    @property
    def segment_samples(self) -> int:
        """Samples in one segment."""
        return round(self.audio.segment_seconds * self.audio.sample_rate)


PRESETS: dict[str, dict[str, Any]] = {
    "laptop": {
        "fit": {
            "console_steps": 300,
            "optimiser": "nadam",
            "learning_rate": 0.08,
            "learning_rate_schedule": "trapezoid",
            "gradient_decay": 0.85,
            "squared_gradient_decay": 0.96,
            "equalizer_rate": 0.5,
            "segment_draw": "golden_ratio",
            "segments_per_step": 2,
            "initial_std": 0.001,
            "start": "least_squares",
        },
        "prune": {
            "strategy": "probe",
            "rounds": 4,
            "fine_tune_steps": 60,
            "fine_tune_learning_rate": 0.03,
            "trial_segments": 24,
            "trial_error": 0.05,
        },
        "loss": {"sparsity_ramp_steps": 120},
    },
    "paper": {
        "processors": {"dynamics_form": "published"},
        "render": {"fuse_linear": False, "compiled": False, "skip_silence": False},
        "fit": {"restart_steps": 500},
        "loss": {
            "convergence": "published",
            "gain_staging_types": "er",
            "gain_staging_signal": "stereo",
        },
    },
}
DEFAULT_PRESET = "laptop"


def make_config(
    preset: str = DEFAULT_PRESET, *, file: Path | None = None, changes: dict[str, Any] | None = None
) -> SearchConfig:
    """The settings of a preset, overridden by a TOML file, overridden by `changes` (nested like the sections).

    Raises `ConfigError` naming the key or value that is not accepted.
    """
    if preset not in PRESETS:
        raise ConfigError(f"unknown preset '{preset}'; known: {', '.join(PRESETS)}")
    merged = PRESETS[preset]
    if file is not None:
        merged = _merge(merged, read_toml(file, "give the path of a TOML file with settings"))
    merged = _merge(merged, changes or {})
    return validate(merged, origin=str(file) if file else "settings")


def validate(values: dict[str, Any], *, origin: str) -> SearchConfig:
    """Settings from a nested mapping; raises `ConfigError` with `origin` and the first fault."""
    try:
        return SearchConfig.model_validate(values)
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "extra_forbidden":
            raise ConfigError(f"{origin}: unknown key '{key}'; `mixgraph search --help` lists the known ones") from None
        raise ConfigError(f"{origin}: {key} = {fault['input']!r}: {fault['msg'].lower()}") from None


def _merge(base: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in top.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged
