"""Every setting of a search as a flag, generated from the models in `mixgraph.config`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from mixgraph.config import DEFAULT_PRESET, PRESETS, SearchConfig, Section, make_config

METAVARS: dict[Any, str] = {int: "N", float: "X", str: "TEXT"}
WORDS = {"True": "yes", "False": "no"}


def add_settings(parser: argparse.ArgumentParser, fixed: Mapping[str, Any]) -> None:
    """Adds `--preset`, `--config` and a flag for each setting, grouped by section, but for those that are `fixed`."""
    order = "The preset, overridden by the file, overridden by the flags below."
    groups: dict[str, Any] = {"": parser.add_argument_group("settings", order)}
    start = f"settings to start from (default {DEFAULT_PRESET})"
    groups[""].add_argument("--preset", choices=list(PRESETS), default=DEFAULT_PRESET, help=start)
    groups[""].add_argument("--config", type=Path, metavar="FILE.toml", help="file with settings, by section")
    defaults = make_config()
    for section, name, field in leaves():
        values = getattr(defaults, section) if section else defaults
        if section not in groups:
            groups[section] = parser.add_argument_group(f"settings of [{section}]", values.__doc__)
        if name in fixed:
            parser.set_defaults(**{f"{section}.{name}": fixed[name]})
        else:
            _add_flag(groups[section], f"{section}.{name}", name, field, getattr(values, name))


def settings_of(options: argparse.Namespace) -> SearchConfig:
    """The settings of a parsed command line; raises `ConfigError`."""
    changes: dict[str, Any] = {}
    for section, name, _ in leaves():
        given = getattr(options, f"{section}.{name}")
        if given is not None:
            (changes.setdefault(section, {}) if section else changes)[name] = given
    return make_config(options.preset, file=options.config, changes=changes)


def leaves() -> Iterator[tuple[str, str, FieldInfo]]:
    """Section (or ""), name and field of every setting."""
    for name, field in SearchConfig.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from ((name, inner, leaf) for inner, leaf in field.annotation.model_fields.items())
        else:
            yield "", name, field


def _add_flag(group: Any, dest: str, name: str, field: FieldInfo, default: Any) -> None:
    flag, kind, listed = f"--{name.replace('_', '-')}", field.annotation, isinstance(default, tuple)
    shown = ",".join(map(str, default)) if listed else WORDS.get(str(default), default)
    text = f"{field.description} (default {shown})".replace("%", "%%")
    if kind is bool:
        group.add_argument(flag, dest=dest, action=argparse.BooleanOptionalAction, default=None, help=text)
    elif get_origin(kind) is Literal:
        group.add_argument(flag, dest=dest, choices=get_args(kind), help=text)
    else:
        metavar = "N,N,..." if listed else METAVARS.get(kind, "VALUE")
        group.add_argument(flag, dest=dest, type=partial(_read, field, listed), metavar=metavar, help=text)


def _read(field: FieldInfo, listed: bool, text: str) -> Any:
    """Checks a value as the model would, so that the error names the flag."""
    # Made here and not with the parser: forty of these would cost a tenth of a second.
    checked: Any = Annotated[field.annotation, field]  # pyright: ignore[reportInvalidTypeForm]
    adapter = TypeAdapter(checked, config=ConfigDict(allow_inf_nan=False))
    try:
        return adapter.validate_python([part.strip() for part in text.split(",")] if listed else text)
    except ValidationError as error:
        fault = error.errors()[0]["msg"]
        raise argparse.ArgumentTypeError(f"{text!r}: {fault[0].lower()}{fault[1:]}") from None
