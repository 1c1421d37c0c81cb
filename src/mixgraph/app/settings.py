"""What is chosen on the page, as the settings of a search."""

from __future__ import annotations

import tomllib
from typing import Any, Final, Literal, NamedTuple, Self

from pydantic import Field, ValidationError

from mixgraph.config import SearchConfig, Section, make_config, validate
from mixgraph.errors import ConfigError
from mixgraph.graph.palette import COLORS


class Effort(NamedTuple):
    """One answer to "how thorough?": a preset and what is changed of it."""

    title: str
    says: str
    preset: str
    changes: dict[str, Any]


EFFORTS: Final = {
    "quick": Effort(
        "Quick look",
        "A third of the training and half the rounds of pruning: a first impression.",
        "laptop",
        {
            "fit": {"console_steps": 100},
            "prune": {"rounds": 2, "fine_tune_steps": 20},
            "loss": {"sparsity_ramp_steps": 20},
        },
    ),
    "standard": Effort("Standard", "The preset “laptop”, as on the command line.", "laptop", {}),
    "thorough": Effort(
        "Thorough",
        "Three times the training and twice the rounds of pruning.",
        "laptop",
        {
            "fit": {"console_steps": 900},
            "prune": {"rounds": 8, "fine_tune_steps": 90},
            "loss": {"sparsity_ramp_steps": 360},
        },
    ),
    "paper": Effort("As in the paper", "The published schedule, step by step: 12 000 steps.", "paper", {}),
}
TOLERANCES: Final = {
    0.003: "More of them, for a closer match",
    0.01: "Balanced",
    0.03: "Fewer of them, for a simpler graph",
}
LETTERS: Final = dict(zip(make_config().console.chain, COLORS, strict=True))
"""Processor types of the console by their letters: both are in the order of the chain."""

RATES: Final = (30_000, 44_100, 48_000)


class Choices(Section):
    """The form of the page. `more` is TOML as `mixgraph search --config` takes it, and has the last word."""

    effort: Literal["quick", "standard", "thorough", "paper"] = "standard"
    tolerance: float = Field(default=0.01, ge=0)
    chain: str = Field(default="".join(LETTERS), max_length=20)
    use_subgroups: bool = True
    sample_rate: int = Field(default=RATES[0], ge=8_000, le=192_000)
    seed: int = Field(default=0, ge=0)
    more: str = Field(default="", max_length=100_000)

    @classmethod
    def read(cls, form: Any) -> Self:
        """The form as it came in; raises `ConfigError` at what it cannot be."""
        try:
            return cls.model_validate(form)
        except ValidationError as error:
            fault = error.errors()[0]
            where = ".".join(map(str, fault["loc"])) or "the form"
            raise ConfigError(f"{where} = {fault['input']!r:.60}: {fault['msg'].lower()}") from None

    def config(self) -> SearchConfig:
        """The settings that they are; raises `ConfigError` naming the one that is not accepted."""
        if not self.chain:
            raise ConfigError("no processors are chosen; choose at least one")
        try:
            more = tomllib.loads(self.more)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"the further settings are not valid TOML ({error}); correct that place") from None
        effort = EFFORTS[self.effort]
        chosen: dict[str, Any] = {
            "audio": {"sample_rate": self.sample_rate},
            "console": {"chain": self.chain, "use_subgroups": self.use_subgroups},
            "prune": {"tolerance": self.tolerance},
            "seed": self.seed,
        }
        values = make_config(effort.preset, changes=effort.changes).model_dump(mode="json")
        for key, value in (*chosen.items(), *more.items()):
            known = values.get(key)
            values[key] = known | value if isinstance(known, dict) and isinstance(value, dict) else value
        return validate(values, origin="settings")
